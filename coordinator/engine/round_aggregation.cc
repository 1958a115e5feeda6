// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/round_aggregation.h"

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "coordinator/aggregation/member_weights.h"

namespace entente::engine {

RoundAggregation AggregationOf(const JobId& job, const jobs::AggregationPlan& plan,
                               const rounds::RoundState& round, const Digest& optimizer_state,
                               const updates::UpdateSpool& spool) {
  std::map<WorkerId, uint64_t> examples;
  for (const auto& [worker, participant] : round.participants) {
    if (participant.state == rounds::ParticipantState::kAccepted) {
      examples[worker] = participant.update.examples;
    }
  }
  const auto weights = aggregation::MemberWeights(examples, plan.weighting, plan.member_weight_cap);
  ENTENTE_CHECK(weights.ok());  // Every accepted update has examples, and there is one at least.

  RoundAggregation made;
  made.weights = *weights;
  made.request.base_model = round.base_model;
  made.request.optimizer_state = optimizer_state;
  made.request.encoding = plan.encoding;
  made.request.rounds_model = plan.downloads_bf16;
  made.request.value_bound = plan.value_bound;
  made.request.optimizer = plan.optimizer;
  made.request.label = absl::StrCat(job.value(), "-", round.round_index, "-", round.attempt);
  for (const auto& [worker, weight] : made.weights) {
    const updates::SpoolKey key{.job = job,
                                .round_index = round.round_index,
                                .attempt = round.attempt,
                                .worker = worker,
                                .digest = round.participants.at(worker).update.digest};
    made.request.updates[worker] = {.path = spool.PathOf(key), .weight = weight};
  }
  return made;
}

}  // namespace entente::engine
