// SPDX-License-Identifier: Apache-2.0
// entente job list: all jobs, newest first.

#include <memory>

#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

std::string JobsTable(const v1::ListJobsResponse& response, absl::Time now) {
  if (response.jobs().empty()) return "no jobs\n";
  Table table({"JOB", "STATE", "ROUND", "LOSS", "ACCURACY", "SUBMITTED", "TOOK", "SUBMITTER"});
  for (const v1::Job& job : response.jobs()) {
    const v1::Metrics& metrics = job.evaluation();
    table.AddRow({job.id(), JobStateWord(job.state()), RoundPosition(job),
                  metrics.examples() > 0 ? LossText(metrics.loss()) : "",
                  metrics.has_accuracy() ? PercentText(metrics.accuracy()) : "",
                  AgeText(ToTime(job.submitted_at()), now), ShortDuration(Elapsed(job, now)),
                  job.submitter()});
  }
  return table.Text();
}

absl::StatusOr<ExitCode> RunJobList(const Invocation& invocation) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::ListJobsResponse response, client->ListJobs());
  invocation.output().Print(JsonWithList(response, "jobs"), JobsTable(response, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddJobList(CLI::App& job, Invocation& invocation) {
  AddVerb(job, "list", "All jobs, newest first", invocation,
          [&invocation] { return RunJobList(invocation); });
}

}  // namespace entente::cli
