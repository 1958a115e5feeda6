// SPDX-License-Identifier: Apache-2.0
// entente job watch JOB: follows a job to its end.

#include "cli/job_watch.h"

#include <memory>

#include "cli/commands/commands.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

absl::StatusOr<ExitCode> RunJobWatch(const Invocation& invocation, const std::string& job_id) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  return WatchJobToItsEnd(invocation, *client, job_id);
}

}  // namespace

void AddJobWatch(CLI::App& job, Invocation& invocation) {
  const auto job_id = std::make_shared<std::string>();
  Verb verb =
      AddVerb(job, "watch", "Follow a job to its end; the job does not mind when you stop",
              invocation, [&invocation, job_id] { return RunJobWatch(invocation, *job_id); });
  verb.Required("JOB", *job_id, "The job's id");
}

}  // namespace entente::cli
