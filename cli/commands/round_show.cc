// SPDX-License-Identifier: Apache-2.0
// entente round show JOB [ROUND]: one round and everybody in it. People count rounds from 1; the
// JSON has roundIndex from 0, as the wire does.

#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/commands.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

struct RoundShowArguments {
  std::string job_id;
  int round = 0;  // From 1; 0: the newest.
  int attempt = 0;
};

bool IsAccepted(const v1::Participant& participant) {
  return participant.state() == v1::PARTICIPANT_STATE_ACCEPTED;
}

// Of an accepted update; a coordinator that is too old, or was when it took the update, has none.
std::string NormText(const v1::Participant& participant) {
  if (participant.has_update_norm()) return absl::StrFormat("%.4g", participant.update_norm());
  return IsAccepted(participant) ? "unknown" : "";
}

std::string ParticipantsTable(const v1::Round& round) {
  if (round.participants().empty()) return "";
  Table table({"", "WORKER", "STATE", "EXAMPLES", "WEIGHT", "NORM", "TRAINING LOSS", "HELD-OUT",
               "UP", "REASON"});
  for (const v1::Participant& participant : round.participants()) {
    const std::string& note =
        participant.reason().empty() ? participant.activity() : participant.reason();
    table.AddRow({participant.jurisdiction(), participant.worker(),
                  ParticipantStateWord(participant.state()),
                  participant.examples() > 0 ? WithCommas(participant.examples()) : "",
                  participant.weight() > 0 ? PercentText(participant.weight()) : "",
                  NormText(participant),
                  participant.training_loss() != 0 ? LossText(participant.training_loss()) : "",
                  MetricsText(participant.evaluation()),
                  IsAccepted(participant) && participant.update_bytes() > 0
                      ? BytesText(participant.update_bytes())
                      : "",
                  note});
  }
  return absl::StrCat("\n", table.Text());
}

std::string RoundText(const v1::Round& round) {
  return absl::StrCat(
      Fields({
          {"job", round.job_id()},
          {"round", absl::StrCat(round.round_index() + 1)},
          {"attempt", absl::StrCat(round.attempt())},
          {"phase", absl::StrCat(RoundPhaseWord(round.phase()), round.reason().empty() ? "" : ": ",
                                 round.reason())},
          {"waiting", round.waiting_for()},
          {"updates", absl::StrCat(round.updates_accepted(), " accepted, ",
                                   round.updates_required(), " required")},
          {"trained", round.training_loss() != 0
                          ? absl::StrCat("loss ", LossText(round.training_loss()))
                          : ""},
          {"held-out", MetricsText(round.evaluation())},
          {"opened", round.has_opened_at() ? TimeText(ToTime(round.opened_at())) : ""},
          {"closes", round.has_closes_at() && !round.has_ended_at()
                         ? TimeText(ToTime(round.closes_at()))
                         : ""},
          {"ended", round.has_ended_at() ? TimeText(ToTime(round.ended_at())) : ""},
          {"base", round.base_model_digest()},
          {"model", round.model_digest()},
          {"bytes", absl::StrCat(BytesText(round.bytes_up()), " up")},
      }),
      ParticipantsTable(round));
}

absl::StatusOr<ExitCode> RunRoundShow(const Invocation& invocation,
                                      const RoundShowArguments& arguments) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  v1::GetRoundRequest request;
  request.set_job_id(arguments.job_id);
  request.set_attempt(static_cast<uint32_t>(arguments.attempt));
  if (arguments.round > 0) {
    request.set_round_index(arguments.round - 1);
  } else {
    ENTENTE_ASSIGN_OR_RETURN(const v1::Job job, client->GetJob(arguments.job_id));
    if (!job.has_round()) {
      return absl::NotFoundError(absl::StrCat("job ", Quoted(job.id()), " has no round yet"));
    }
    request.set_round_index(job.round().round_index());
  }
  ENTENTE_ASSIGN_OR_RETURN(const v1::Round round, client->GetRound(request));
  invocation.output().Print(round, RoundText(round));
  return ExitCode::kOk;
}

}  // namespace

void AddRoundShow(CLI::App& round, Invocation& invocation) {
  const auto arguments = std::make_shared<RoundShowArguments>();
  Verb verb = AddVerb(round, "show", "One round and everybody in it", invocation,
                      [&invocation, arguments] { return RunRoundShow(invocation, *arguments); });
  verb.Required("JOB", arguments->job_id, "The job's id");
  verb.Number("ROUND", arguments->round, 1, std::numeric_limits<int>::max(),
              "Counted from 1; default the newest");
  verb.Number("--attempt", arguments->attempt, 1, std::numeric_limits<int>::max(),
              "Counted from 1; default the latest");
}

}  // namespace entente::cli
