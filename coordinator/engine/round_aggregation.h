// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_ROUND_AGGREGATION_H_
#define COORDINATOR_ENGINE_ROUND_AGGREGATION_H_

// A round's accepted updates, turned into the aggregation they ask for. A pure function of its
// arguments, so that it comes out the same when a restart repeats it.

#include <map>

#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/jobs/job_plan.h"
#include "coordinator/rounds/round_state.h"
#include "coordinator/updates/update_spool.h"

namespace entente::engine {

struct RoundAggregation {
  AggregationRequest request;
  std::map<WorkerId, double> weights;  // Of the updates in the request.
};

// `round` is aggregating: it has an accepted update at least. `optimizer_state` is that of the last
// committed round.
RoundAggregation AggregationOf(const JobId& job, const jobs::AggregationPlan& plan,
                               const rounds::RoundState& round, const Digest& optimizer_state,
                               const updates::UpdateSpool& spool);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_ROUND_AGGREGATION_H_
