// SPDX-License-Identifier: Apache-2.0
// entente round list JOB: every round of a job, aborted attempts included.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

std::string RoundsTable(const v1::ListRoundsResponse& response, absl::Time now) {
  if (response.rounds().empty()) return "no rounds yet\n";
  Table table({"ROUND", "ATTEMPT", "PHASE", "UPDATES", "TRAINING LOSS", "HELD-OUT LOSS", "ACCURACY",
               "UP", "TOOK", "REASON"});
  for (const v1::Round& round : response.rounds()) {
    const absl::Time end = round.has_ended_at() ? ToTime(round.ended_at()) : now;
    table.AddRow(
        {absl::StrCat(round.round_index() + 1), absl::StrCat(round.attempt()),
         RoundPhaseWord(round.phase()),
         absl::StrCat(round.updates_accepted(), " (", round.updates_required(), " needed)"),
         round.training_loss() != 0 ? LossText(round.training_loss()) : "",
         round.evaluation().examples() > 0 ? LossText(round.evaluation().loss()) : "",
         round.evaluation().has_accuracy() ? PercentText(round.evaluation().accuracy()) : "",
         BytesText(round.bytes_up()),
         round.has_opened_at() ? ShortDuration(end - ToTime(round.opened_at())) : "",
         round.reason()});
  }
  return table.Text();
}

absl::StatusOr<ExitCode> RunRoundList(const Invocation& invocation, const std::string& job_id) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  ENTENTE_ASSIGN_OR_RETURN(const v1::ListRoundsResponse response, client->ListRounds(job_id));
  invocation.output().Print(JsonWithList(response, "rounds"),
                            RoundsTable(response, invocation.Now()));
  return ExitCode::kOk;
}

}  // namespace

void AddRoundList(CLI::App& round, Invocation& invocation) {
  const auto job_id = std::make_shared<std::string>();
  Verb verb = AddVerb(round, "list", "Every round of a job, oldest first", invocation,
                      [&invocation, job_id] { return RunRoundList(invocation, *job_id); });
  verb.Required("JOB", *job_id, "The job's id");
}

}  // namespace entente::cli
