// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_JOB_WATCH_H_
#define CLI_JOB_WATCH_H_

// Follows a job to its end: `job watch` and `job submit --watch`. A coordinator that restarts or a
// network that fails for a while is waited for, with a word about it.

#include <string>

#include "absl/status/statusor.h"
#include "cli/coordinator_client.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

namespace entente::cli {

enum class WatchStyle {
  kPicture,  // On a terminal that can the live picture, else lines.
  kLines,    // Plain lines wherever.
};

// Shows the job until it has ended: as `style` says, with -o json one job a line. Ends with kOk if
// the job completed, kJobNotCompleted if not.
//
// NOT_FOUND, UNAVAILABLE and the like only if the job could not be seen even once; CANCELLED on
// Ctrl-C. The job runs on whatever becomes of the watching.
absl::StatusOr<ExitCode> WatchJobToItsEnd(const Invocation& invocation, CoordinatorClient& client,
                                          const std::string& job_id,
                                          WatchStyle style = WatchStyle::kPicture);

}  // namespace entente::cli

#endif  // CLI_JOB_WATCH_H_
