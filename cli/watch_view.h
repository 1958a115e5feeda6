// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_WATCH_VIEW_H_
#define CLI_WATCH_VIEW_H_

// The live picture of a job as lines of text: a pure function, so that what people look at for
// hours can be tested. watch_terminal.h puts it on the screen.
//
//   fashion-mnist-k3x9qa  running                           1 min 12 s, about 6 min 03 s left
//   round 3/12  ██████░░░░░░░░░░░░░░░░░░  collecting: 5 workers were asked
//   waiting for fr-lab/gpu-1; 4 of 5 in; closes in 41 s
//
//     BR  br-lab/gpu-1  accepted  6,211 examples, 412.1 KiB, training loss 0.581
//     FR  fr-lab/gpu-1  working   training ██████░░░░ 120/200
//
//   loss      0.6123  █▅▂▁
//   accuracy  78.2 %  ▁▄▆█
//   4.1 MiB up, 8.2 MiB down

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "entente/v1/job.pb.h"

namespace entente::cli {

// What is known of a watched job at one moment.
struct WatchPicture {
  v1::Job job;
  std::vector<v1::Round> committed;  // The committed rounds, oldest first, without participants.
  absl::Time now;
  std::string note;  // What is wrong with the connection, in one sentence; empty if nothing is.
};

struct WatchViewOptions {
  size_t width = 80;
  size_t height = 24;
  bool colour = false;
  size_t participants_skipped = 0;  // How many of the first have been scrolled away.
};

// At most `options.height` lines of at most `options.width` columns. Reasons that do not fit their
// line go on below it, as far as there is room. Where there is no room for everybody the last
// participants become "and 12 more".
std::vector<std::string> WatchLines(const WatchPicture& picture, const WatchViewOptions& options);

}  // namespace entente::cli

#endif  // CLI_WATCH_VIEW_H_
