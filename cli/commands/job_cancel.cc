// SPDX-License-Identifier: Apache-2.0
// entente job cancel JOB: stops a running job; its last committed model stays.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

struct JobCancelArguments {
  std::string job_id;
  std::string reason;
};

absl::StatusOr<ExitCode> RunJobCancel(const Invocation& invocation,
                                      const JobCancelArguments& arguments) {
  if (arguments.reason.size() > limits::kReasonBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("--reason has ", arguments.reason.size(),
                                                   " characters; it may have at most ",
                                                   limits::kReasonBytesMax));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job job,
                           client->CancelJob(arguments.job_id, arguments.reason));
  invocation.output().Print(job, absl::StrCat("job ", Printable(job.id()), " cancelled after ",
                                              Plural(job.rounds_committed(), "round"), "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddJobCancel(CLI::App& job, Invocation& invocation) {
  const auto arguments = std::make_shared<JobCancelArguments>();
  Verb verb =
      AddVerb(job, "cancel", "Stop a running job; its last committed model stays", invocation,
              [&invocation, arguments] { return RunJobCancel(invocation, *arguments); });
  verb.Required("JOB", arguments->job_id, "The job's id");
  verb.Option("--reason", arguments->reason, "Why, for the record");
}

}  // namespace entente::cli
