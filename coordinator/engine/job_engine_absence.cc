// SPDX-License-Identifier: Apache-2.0
// JobEngine's workers that are away: a round goes on without them, and waits for them if it cannot.

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/engine/transition_log.h"
#include "coordinator/store/journal.h"

namespace entente::engine {

void JobEngine::Skip(const WorkerId& worker, const std::string& reason) {
  const rounds::RoundState& round = working_state_.round;
  if (IsAwaited(worker, v1::TaskKey::KIND_EVALUATE)) return FailEvaluation(worker, reason);
  if (!IsAwaited(worker, v1::TaskKey::KIND_TRAIN)) return;
  leases_.End(worker);
  LogSetback("worker skipped", description_->id, round.round_index, worker, reason);
  ApplyRound(round.round_index, round.attempt, rounds::WorkerSkipped{worker, reason});
}

bool JobEngine::ExcusesAbsence(const rounds::RoundEvent& event) const {
  const rounds::RoundState& round = working_state_.round;
  const bool is_somebody_away = std::holds_alternative<rounds::WorkerSkipped>(event) ||
                                round.CountIn(rounds::ParticipantState::kSkipped) > 0;
  // A worker that goes away and comes back again and again must not keep a round from ending.
  return round.IsOpen() && is_somebody_away &&
         working_state_.attempts_broken_off < limits::kAttemptsBrokenOffMax;
}

bool JobEngine::AwaitAbsent() {
  const rounds::RoundState& round = working_state_.round;
  if (working_state_.HasEnded() || working_state_.paused) return false;
  if (round.phase != rounds::RoundPhase::kPlanned) return false;
  std::optional<rounds::AbsenceAwaited> absence = AbsenceToAwait();
  // The round's own deadline does for who is back before it.
  if (!absence.has_value() || absence->until < round.closes_at) return false;
  ApplyRound(round.round_index, round.attempt, *std::move(absence));
  return true;
}

std::optional<rounds::AbsenceAwaited> JobEngine::AbsenceToAwait() const {
  const std::string& dataset = description_->recipe.dataset();
  const absl::Time now = store::JournalTime(deps_.clock->Now());
  const absl::Time last = working_state_.round.planned_at + limits::kAbsenceWaitMax;
  // Who did not say until when is asked about at each deadline, not whenever somebody comes.
  const absl::Time unsaid =
      now < working_state_.round.closes_at ? now : now + limits::kAbsenceUnsaid;
  std::vector<std::pair<absl::Time, WorkerId>> returns;
  const std::map<WorkerId, v1::Away> aways = deps_.workers->AwayWith(dataset);
  for (const auto& [worker, away] : aways) {
    const absl::Time at = away.has_until() ? ToTime(away.until()) : unsaid;
    if (at >= now && at <= last) returns.emplace_back(at, worker);
  }
  std::sort(returns.begin(), returns.end());
  const std::vector<WorkerId> available = deps_.workers->AvailableWith(dataset);
  const auto suffice = [&](size_t count) {
    std::vector<WorkerId> eligible = available;
    for (size_t i = 0; i < count; ++i) eligible.push_back(returns[i].second);
    return !CohortOf(std::move(eligible)).empty();
  };
  if (!suffice(returns.size())) return std::nullopt;
  // Whether they suffice depends on how many they are alone.
  size_t too_few = 0;
  size_t enough = returns.size();
  while (enough - too_few > 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    (suffice(middle) ? enough : too_few) = middle;
  }
  if (enough == 0) return std::nullopt;  // Nobody need be awaited: the round opens.
  std::vector<std::string> names;
  for (size_t i = 0; i < enough; ++i) names.push_back(returns[i].second.value());
  const auto& [at, worker] = returns[enough - 1];
  const absl::Time until = store::JournalTime(at);
  return rounds::AbsenceAwaited{
      .until = until,
      .reason = absl::StrCat("waiting for ", absl::StrJoin(names, ", "), ", away",
                             aways.at(worker).has_until() ? absl::StrCat(" until ", DayText(until))
                                                          : ", nobody said until when")};
}

}  // namespace entente::engine
