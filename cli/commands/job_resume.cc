// SPDX-License-Identifier: Apache-2.0
// entente job resume JOB: lets a paused job go on.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

struct JobResumeArguments {
  std::string job_id;
  std::string reason;
};

absl::StatusOr<ExitCode> RunJobResume(const Invocation& invocation,
                                      const JobResumeArguments& arguments) {
  if (arguments.reason.size() > limits::kReasonBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("--reason has ", arguments.reason.size(),
                                                   " characters; it may have at most ",
                                                   limits::kReasonBytesMax));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  v1::ResumeJobRequest request;
  request.set_job_id(arguments.job_id);
  request.set_reason(arguments.reason);
  // The answer does not say whether there was anything to resume.
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job before, client->GetJob(arguments.job_id));
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job job, client->ResumeJob(request));
  const bool was_running = before.state() == v1::JOB_STATE_RUNNING;
  invocation.output().Print(
      job, absl::StrCat("job ", Printable(job.id()),
                        was_running ? " was not paused, nothing is changed: " : " ",
                        JobStateWord(job.state()), ", round ", RoundPosition(job), "\n"));
  return ExitCode::kOk;
}

}  // namespace

void AddJobResume(CLI::App& job, Invocation& invocation) {
  const auto arguments = std::make_shared<JobResumeArguments>();
  Verb verb = AddVerb(job, "resume", "Let a paused job go on", invocation,
                      [&invocation, arguments] { return RunJobResume(invocation, *arguments); });
  verb.Required("JOB", arguments->job_id, "The job's id");
  verb.Option("--reason", arguments->reason, "Why, for the record");
}

}  // namespace entente::cli
