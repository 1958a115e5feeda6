// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_WATCH_NARRATOR_H_
#define CLI_WATCH_NARRATOR_H_

// A watched job told line by line, for logs and pipes: one line for each change that matters, none
// for a countdown.
//
//   round 3/12 collecting: waiting for fr-lab/gpu-1; 3 of 5 in; closes in 41 s
//   round 3/12 in-lab/gpu-1 declined: policy rule "no-health-data"
//   round 3/12 kr-lab/gpu-1 failed: the trainer says: no column "age"
//   round 3/12 committed: loss 0.6123, accuracy 78.2 %, 5 updates, 4.1 MiB up

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/watch_view.h"

namespace entente::cli {

// Not thread-safe.
class WatchNarrator {
 public:
  // The lines that `picture` adds to what was told before.
  std::vector<std::string> Tell(const WatchPicture& picture);

 private:
  void TellCommitted(const WatchPicture& picture, std::vector<std::string>* lines);
  void TellPause(const v1::Job& job, std::vector<std::string>* lines);
  void TellRound(const v1::Job& job, std::vector<std::string>* lines);
  void TellParticipants(const v1::Job& job, std::vector<std::string>* lines);

  bool started_ = false;
  bool ended_ = false;
  bool paused_ = false;
  std::string note_;
  size_t committed_told_ = 0;
  // Of the round in flight as last told.
  uint32_t round_index_ = 0;
  uint32_t attempt_ = 0;
  v1::RoundPhase phase_ = v1::ROUND_PHASE_UNSPECIFIED;
  uint32_t updates_accepted_ = 0;
  std::map<std::string, v1::ParticipantState> participants_;
};

}  // namespace entente::cli

#endif  // CLI_WATCH_NARRATOR_H_
