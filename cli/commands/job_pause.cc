// SPDX-License-Identifier: Apache-2.0
// entente job pause JOB: opens no more rounds; the one in flight is finished.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

struct JobPauseArguments {
  std::string job_id;
  std::string reason;
  bool now = false;
};

// Whether the pause of before stands, with its reason: the coordinator takes another only if it
// breaks off a round. The answer does not say so by itself.
bool WasPausedAlready(const v1::Job& before, const v1::Job& job, bool now) {
  const bool broke_off = now && before.round().round_index() == job.round().round_index() &&
                         before.round().attempt() != job.round().attempt();
  return before.state() == v1::JOB_STATE_PAUSED && before.reason() == job.reason() && !broke_off;
}

// What is left to happen before nothing happens any more.
std::string PauseText(const v1::Job& job, const JobPauseArguments& arguments,
                      bool was_paused_already) {
  // What --now breaks off is planned anew, as is the round after one that has just ended.
  const bool is_planned = job.round().phase() == v1::ROUND_PHASE_PLANNED;
  const char* const what_follows = is_planned ? " opens once it is resumed"
                                   : arguments.now
                                       ? " no longer collects updates and is finished first"
                                       : " is finished first";
  return absl::StrCat("job ", Printable(job.id()), was_paused_already ? " was already " : " ",
                      job.reason().empty() ? "paused" : Printable(job.reason()), "; round ",
                      job.round().round_index() + 1, what_follows, "\n",
                      was_paused_already && !arguments.reason.empty()
                          ? "the reason given now is not recorded: the pause of before stands\n"
                          : "");
}

absl::StatusOr<ExitCode> RunJobPause(const Invocation& invocation,
                                     const JobPauseArguments& arguments) {
  if (arguments.reason.size() > limits::kReasonBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("--reason has ", arguments.reason.size(),
                                                   " characters; it may have at most ",
                                                   limits::kReasonBytesMax));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  v1::PauseJobRequest request;
  request.set_job_id(arguments.job_id);
  request.set_reason(arguments.reason);
  request.set_now(arguments.now);
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job before, client->GetJob(arguments.job_id));
  ENTENTE_ASSIGN_OR_RETURN(const v1::Job job, client->PauseJob(request));
  invocation.output().Print(
      job, PauseText(job, arguments, WasPausedAlready(before, job, arguments.now)));
  return ExitCode::kOk;
}

}  // namespace

void AddJobPause(CLI::App& job, Invocation& invocation) {
  const auto arguments = std::make_shared<JobPauseArguments>();
  Verb verb =
      AddVerb(job, "pause", "Open no more rounds; the one in flight is finished", invocation,
              [&invocation, arguments] { return RunJobPause(invocation, *arguments); });
  verb.Required("JOB", arguments->job_id, "The job's id");
  verb.Option("--reason", arguments->reason, "Why, for the record");
  verb.Flag(
      "--now", arguments->now,
      "Break off a round that still collects; it is tried again, and the attempt not counted");
}

}  // namespace entente::cli
