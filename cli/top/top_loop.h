// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TOP_TOP_LOOP_H_
#define CLI_TOP_TOP_LOOP_H_

// Puts the feed's picture on a screen and hears the keys: `entente top`, and `job watch` and
// `job submit --watch` for one job.

#include <string>

#include "absl/status/statusor.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"
#include "cli/screen/screen.h"
#include "cli/top/top_feed.h"
#include "cli/top/top_focus.h"

namespace entente::cli {

enum class TopEnd {
  kQuit,         // Somebody pressed q.
  kInterrupted,  // Ctrl-C or another signal.
  kGone,         // The terminal was closed.
  kJobEnded,     // With `only_job`: the job has ended.
};

// Shows the feed, which was started, until something of the above. Blocks.
TopEnd ShowTop(const Invocation& invocation, Screen& screen, TopFeed& feed, TopFocus focus);

// Whether a job may be watched on a full screen: there is a terminal that has one, and the output
// is for people.
bool HasFullScreen(const Invocation& invocation);

// The whole of `entente job watch JOB` on a full screen. Leaves the last picture on the terminal.
//
// Ends with kOk if the job completed, kJobNotCompleted if not. CANCELLED if somebody stopped
// watching, with "q" or a signal; the coordinator's error if the job could not be seen even once;
// INVALID_ARGUMENT if the terminal is of a kind that is not known here, before anything is shown.
absl::StatusOr<ExitCode> WatchJobOnScreen(const Invocation& invocation, const std::string& job_id);

}  // namespace entente::cli

#endif  // CLI_TOP_TOP_LOOP_H_
