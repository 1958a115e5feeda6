// SPDX-License-Identifier: Apache-2.0
// JobEngine's aggregation: on the lane, and again after a pause if the disk failed.

#include <utility>

#include "common/base/log.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/engine/round_aggregation.h"
#include "coordinator/engine/transition_log.h"

namespace entente::engine {

void JobEngine::StartAggregation() {
  const rounds::RoundState& round = working_state_.round;
  RoundAggregation aggregation = AggregationOf(description_->id, aggregation_plan_, round,
                                               working_state_.optimizer_state, *deps_.spool);
  if (!deps_.gate->Enter()) return;  // Stopping: the next start repeats it.
  aggregation.request.is_stopping = deps_.stop_aggregations;
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
    return ApplyRound(round_index, attempt,
                      rounds::Aggregated{outcome->model, outcome->optimizer_state, weights});
  }
  const std::string reason(outcome.status().message());
  const auto pause = aggregation_retry_.PauseAfter(outcome.status());
  if (!pause.has_value()) {
    return ApplyRound(round_index, attempt, rounds::AggregationFailed{reason});
  }
  log::Warning("the aggregation failed; trying again", {{"job", description_->id.value()},
                                                        {"round", round_index + 1},
                                                        {"reason", reason},
                                                        {"wait", absl::FormatDuration(*pause)}});
  PostAt(deps_.clock->Now() + *pause, [round_index, attempt](JobEngine& engine) {
    const rounds::RoundState& round = engine.working_state_.round;
    if (round.phase == rounds::RoundPhase::kAggregating && round.round_index == round_index &&
        round.attempt == attempt) {
      engine.StartAggregation();
    }
  });
}

}  // namespace entente::engine
