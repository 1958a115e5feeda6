// SPDX-License-Identifier: Apache-2.0
// JobEngine's aggregation: on the lane, again after a pause if the disk failed, and of what was
// asked again if an update was lost.

#include <algorithm>
#include <utility>

#include "common/base/limits.h"
#include "common/base/log.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/engine/round_aggregation.h"
#include "coordinator/engine/stored_files.h"
#include "coordinator/engine/transition_log.h"

namespace entente::engine {

void JobEngine::StartAggregation() {
  const rounds::RoundState& round = working_state_.round;
  RoundAggregation aggregation = AggregationOf(description_->id, aggregation_plan_, round,
                                               working_state_.optimizer_state, *deps_.spool);
  if (!deps_.gate->Enter()) return;  // Stopping: the next start repeats it.
  aggregation.request.is_stopping = deps_.stop_aggregations;
  NoteTry();
  deps_.aggregation_lane->Post([self = shared_from_this(), aggregation = std::move(aggregation),
                                round_index = round.round_index, attempt = round.attempt,
                                fields = LogFieldsOf(*description_, round.round_index)] {
    const log::Scope scope(fields);
    const auto outcome =
        RunAggregation(aggregation.request, *self->deps_.models, *self->deps_.files,
                       *self->deps_.aggregation_pool, self->deps_.aggregation_threads);
    // A run that was stopped is repeated at the next start.
    if (!absl::IsCancelled(outcome.status())) {
      self->Post([outcome, weights = aggregation.weights, round_index, attempt](JobEngine& engine) {
        engine.EndAggregation(round_index, attempt, weights, outcome);
      });
    }
    self->deps_.gate->Leave();
  });
}

void JobEngine::EndAggregation(uint32_t round_index, uint32_t attempt,
                               const std::map<WorkerId, double>& weights,
                               const absl::StatusOr<AggregationOutcome>& outcome) {
  if (outcome.ok()) {
    aggregation_retry_.Reset();
    {
      absl::MutexLock lock(&mu_);
      combining_.reset();
    }
    return ApplyRound(round_index, attempt,
                      rounds::Aggregated{outcome->model, outcome->optimizer_state, weights});
  }
  const std::string reason(outcome.status().message());
  const auto pause = aggregation_retry_.PauseAfter(outcome.status());
  if (!IsAggregating(round_index, attempt)) return;  // Cancelled meanwhile.
  if (!pause.has_value()) {
    NoteTryFailed(reason, pause);
    return LookForLostUpdates(reason);
  }
  log::Warning("the aggregation failed; trying again", {{"job", description_->id.value()},
                                                        {"round", round_index + 1},
                                                        {"reason", reason},
                                                        {"wait", absl::FormatDuration(*pause)}});
  RepeatAggregationAfter(*pause);
  // Whoever sees it can count on the next try.
  NoteTryFailed(reason, pause, absl::IsResourceExhausted(outcome.status()));
}

bool JobEngine::IsAggregating(uint32_t round_index, uint32_t attempt) const {
  const rounds::RoundState& round = working_state_.round;
  return round.phase == rounds::RoundPhase::kAggregating && round.round_index == round_index &&
         round.attempt == attempt;
}

void JobEngine::RepeatAggregationAfter(absl::Duration pause) {
  const rounds::RoundState& round = working_state_.round;
  PostAfter(pause, [round_index = round.round_index, attempt = round.attempt](JobEngine& engine) {
    if (engine.IsAggregating(round_index, attempt)) engine.StartAggregation();
  });
}

void JobEngine::NoteTry() {
  const absl::Time now = deps_.clock->Now();
  {
    absl::MutexLock lock(&mu_);
    // After a search the tries are counted anew.
    if (!combining_.has_value() || combining_->stage == rounds::Combining::Stage::kSearches) {
      combining_ = rounds::Combining{.tries = 0};
    }
    combining_->stage = rounds::Combining::Stage::kRuns;
    combining_->began_at = now;
    ++combining_->tries;
  }
  watchers_.NotifyAll();
}

void JobEngine::NoteTryFailed(const std::string& reason, std::optional<absl::Duration> pause,
                              bool lacks_room) {
  const absl::Time now = deps_.clock->Now();
  {
    absl::MutexLock lock(&mu_);
    if (!combining_.has_value()) return;
    combining_->stage =
        pause.has_value() ? rounds::Combining::Stage::kPauses : rounds::Combining::Stage::kSearches;
    combining_->failure = reason;
    combining_->next_try_at = now + pause.value_or(absl::InfiniteDuration());
    if (!lacks_room) {
      combining_->no_room_since.reset();
    } else if (!combining_->no_room_since.has_value()) {
      combining_->no_room_since = now;
    }
  }
  watchers_.NotifyAll();
}

void JobEngine::LookForLostUpdates(const std::string& reason) {
  if (!deps_.gate->Enter()) return;  // Stopping: the next start repeats the aggregation.
  deps_.aggregation_lane->Post(
      [self = shared_from_this(), round = working_state_.round, reason,
       fields = LogFieldsOf(*description_, working_state_.round.round_index)] {
        const log::Scope scope(fields);
        const Dependencies& deps = self->deps_;
        const auto lost = LostUpdates(self->description_->id, round, *deps.spool, *deps.files,
                                      deps.stop_aggregations);
        if (deps.stop_aggregations == nullptr || !deps.stop_aggregations->load()) {
          self->Post([round_index = round.round_index, attempt = round.attempt, lost,
                      reason](JobEngine& engine) {
            engine.EndLookForLostUpdates(round_index, attempt, lost, reason);
          });
        }
        deps.gate->Leave();
      });
}

void JobEngine::EndLookForLostUpdates(uint32_t round_index, uint32_t attempt,
                                      const std::map<WorkerId, std::string>& lost,
                                      const std::string& reason) {
  if (!IsAggregating(round_index, attempt)) return;
  const auto& participants = working_state_.round.participants;
  const bool may_ask = std::any_of(lost.begin(), lost.end(), [&participants](const auto& entry) {
    return participants.at(entry.first).updates_lost < limits::kUpdateLossesMax;
  });
  if (!may_ask) return ApplyRound(round_index, attempt, rounds::AggregationFailed{reason});
  AskAgainFor(lost);
  // If the journal would not take it, the next try finds the same.
  if (!IsAggregating(round_index, attempt)) return;
  RepeatAggregationAfter(deps_.aggregation_retry_pause);
  NoteTryFailed(reason, deps_.aggregation_retry_pause);
}

void JobEngine::AskAgainFor(const std::map<WorkerId, std::string>& lost) {
  for (const auto& [worker, how] : lost) {
    const rounds::RoundState& round = working_state_.round;
    const auto it = round.participants.find(worker);
    if (it == round.participants.end() || it->second.state != rounds::ParticipantState::kAccepted ||
        it->second.updates_lost >= limits::kUpdateLossesMax) {
      continue;
    }
    LogSetback("an accepted update was lost", description_->id, round.round_index, worker, how);
    // Before the event: after it the worker may be sending the very same update again.
    deps_.spool->Drop({.job = description_->id,
                       .round_index = round.round_index,
                       .attempt = round.attempt,
                       .worker = worker,
                       .digest = it->second.update.digest});
    const absl::Status status = Apply(
        jobs::RoundHappened{round.round_index, round.attempt, rounds::UpdateLost{worker, how}});
    if (!status.ok()) log::Debug("event ignored", {{"reason", status.message()}});
  }
}

}  // namespace entente::engine
