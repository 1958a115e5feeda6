// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_JOBS_JOB_PLAN_H_
#define COORDINATOR_JOBS_JOB_PLAN_H_

// A recipe, turned into what the coordinator's own parts understand.

#include "common/codec/update_encoding.h"
#include "coordinator/aggregation/member_weights.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/optimizer/server_optimizer.h"
#include "entente/v1/recipe.pb.h"

namespace entente::jobs {

// How a job's rounds are aggregated.
struct AggregationPlan {
  aggregation::Weighting weighting = aggregation::Weighting::kExamples;
  double member_weight_cap = 1.0;
  double value_bound = 256;
  UpdateEncoding encoding;
  bool downloads_bf16 = false;  // Workers get the model rounded.
  optimizer::ServerOptimizerSettings optimizer;
};

// Both take a recipe that FillRecipeDefaults completed and CheckRecipe passed.
JobPlan JobPlanOf(const v1::Recipe& recipe);
AggregationPlan AggregationPlanOf(const v1::Recipe& recipe);

}  // namespace entente::jobs

#endif  // COORDINATOR_JOBS_JOB_PLAN_H_
