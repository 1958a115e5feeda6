// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_ROUND_CHRONICLE_H_
#define COORDINATOR_ENGINE_ROUND_CHRONICLE_H_

// What people ask of a round that its state does not keep: when each phase began and why, what each
// worker did since when, and where in the journal it stands. No decision depends on it.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "coordinator/jobs/job_machine.h"
#include "coordinator/rounds/round_state.h"

namespace entente::engine {

struct PhaseStart {
  rounds::RoundPhase phase = rounds::RoundPhase::kPlanned;
  absl::Time at;
  std::string reason;  // Why, one sentence; may be empty.
};

// "training", since then.
struct ActivityStart {
  std::string activity;
  absl::Time at;
};

// Of one attempt of a round.
struct RoundChronicle {
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  // Its events in the job's journal, both included; the last one is 0 while it is in flight.
  uint64_t sequence_first = 0;
  uint64_t sequence_last = 0;
  std::vector<PhaseStart> phases;  // In order; the last one is the phase it is in or ended with.
  // Once it has ended: as round_report.h has them, so that a list of long jobs need not sum again.
  std::optional<rounds::Metrics> evaluation;
  double training_loss = 0;
  // As the workers said since the coordinator started; the most recent ones of each. "waiting" is
  // ours: the update was put off.
  std::map<WorkerId, std::vector<ActivityStart>> activities;
};

// Of one job: every ended attempt and the one in flight. Not thread-safe.
class RoundChronicles {
 public:
  // After each event of the job, in order: the journal's `sequence`, and when it happened.
  void Note(const jobs::JobTransition& transition, uint64_t sequence, absl::Time at);

  // What a worker does, as often as that is said.
  void NoteActivity(const WorkerId& worker, const std::string& activity, absl::Time at);

  // Oldest first. Those that have ended are shared and never change.
  const std::vector<std::shared_ptr<const RoundChronicle>>& ended() const { return ended_; }
  const RoundChronicle& in_flight() const { return in_flight_; }
  // Of the last event that was noted.
  uint64_t sequence() const { return sequence_; }

 private:
  std::vector<std::shared_ptr<const RoundChronicle>> ended_;
  RoundChronicle in_flight_;
  uint64_t sequence_ = 0;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_ROUND_CHRONICLE_H_
