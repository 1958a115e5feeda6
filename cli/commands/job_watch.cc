// SPDX-License-Identifier: Apache-2.0
// entente job watch JOB: follows a job to its end, on a terminal on the whole screen.

#include "cli/job_watch.h"

#include <memory>

#include "cli/commands/commands.h"
#include "cli/top/top_loop.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

struct JobWatchArguments {
  std::string job_id;
  bool plain = false;
};

absl::StatusOr<ExitCode> RunJobWatch(const Invocation& invocation,
                                     const JobWatchArguments& arguments) {
  if (!arguments.plain && HasFullScreen(invocation)) {
    return WatchJobOnScreen(invocation, arguments.job_id);
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  return WatchJobToItsEnd(invocation, *client, arguments.job_id,
                          arguments.plain ? WatchStyle::kLines : WatchStyle::kPicture);
}

}  // namespace

void AddJobWatch(CLI::App& job, Invocation& invocation) {
  const auto arguments = std::make_shared<JobWatchArguments>();
  Verb verb =
      AddVerb(job, "watch", "Follow a job to its end; the job does not mind when you stop",
              invocation, [&invocation, arguments] { return RunJobWatch(invocation, *arguments); });
  verb.Required("JOB", arguments->job_id, "The job's id");
  verb.Flag("--plain", arguments->plain, "Lines instead of the whole screen, as in a pipe");
}

}  // namespace entente::cli
