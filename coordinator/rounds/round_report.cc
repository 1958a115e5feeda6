// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_report.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace entente::rounds {
namespace {

constexpr size_t kNamesMax = 6;  // More do not fit a line; the rest is counted.

bool IsAwaited(const RoundState& state, const Participant& participant) {
  if (state.phase == RoundPhase::kEvaluating) return participant.evaluation_awaited;
  return participant.state == ParticipantState::kInvited ||
         participant.state == ParticipantState::kWorking ||
         (state.phase == RoundPhase::kCollecting &&
          participant.state == ParticipantState::kMissing);
}

std::string AwaitedNames(const RoundState& state) {
  std::vector<std::string> names;
  for (const auto& [worker, participant] : state.participants) {
    if (IsAwaited(state, participant)) names.push_back(worker.value());
  }
  const size_t more = names.size() > kNamesMax ? names.size() - kNamesMax : 0;
  names.resize(names.size() - more);
  return absl::StrCat(absl::StrJoin(names, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

std::string ClosesIn(const RoundState& state, absl::Time now) {
  const absl::Duration left = std::max(absl::ZeroDuration(), state.closes_at - now);
  return absl::FormatDuration(absl::Trunc(left, absl::Seconds(1)));
}

}  // namespace

std::string WaitingFor(const RoundState& state, absl::Time now) {
  switch (state.phase) {
    case RoundPhase::kPlanned:
      return absl::StrCat("waiting for enough workers with the data set",
                          state.policy.quorum_count.has_value()
                              ? absl::StrCat(" (", *state.policy.quorum_count, " needed)")
                              : "",
                          "; gives up in ", ClosesIn(state, now));
    case RoundPhase::kCollecting:
    case RoundPhase::kGrace:
      return absl::StrCat("waiting for ", AwaitedNames(state), "; ",
                          state.CountIn(ParticipantState::kAccepted), " of ",
                          state.participants.size(), " in, ", state.updates_required,
                          " needed; closes in ", ClosesIn(state, now));
    case RoundPhase::kAggregating:
      return "waiting for the coordinator to combine the updates";
    case RoundPhase::kEvaluating:
      return absl::StrCat("waiting for the evaluations of ", AwaitedNames(state), "; closes in ",
                          ClosesIn(state, now));
    case RoundPhase::kCommitted:
    case RoundPhase::kAborted:
      return "";
  }
  return "";
}

std::optional<Metrics> CombinedEvaluation(const RoundState& state) {
  // The claimed numbers of examples may be any: their sum must not wrap, nor a loss overflow.
  double total = 0;
  double accuracy_total = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (!participant.evaluation.has_value()) continue;
    const auto examples = static_cast<double>(participant.evaluation->examples);
    total += examples;
    if (participant.evaluation->accuracy.has_value()) accuracy_total += examples;
  }
  if (total == 0) return std::nullopt;
  Metrics sum;
  double accuracy = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (!participant.evaluation.has_value()) continue;
    const Metrics& one = *participant.evaluation;
    const auto examples = static_cast<double>(one.examples);
    sum.examples += std::min(one.examples, std::numeric_limits<uint64_t>::max() - sum.examples);
    sum.loss += one.loss * (examples / total);
    if (one.accuracy.has_value()) accuracy += *one.accuracy * (examples / accuracy_total);
  }
  if (accuracy_total > 0) sum.accuracy = accuracy;
  return sum;
}

double CombinedTrainingLoss(const RoundState& state) {
  double total = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (participant.state == ParticipantState::kAccepted) {
      total += static_cast<double>(participant.update.examples);
    }
  }
  if (total == 0) return 0;
  double loss = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (participant.state != ParticipantState::kAccepted) continue;
    const auto examples = static_cast<double>(participant.update.examples);
    loss += participant.update.training_loss * (examples / total);
  }
  return loss;
}

}  // namespace entente::rounds
