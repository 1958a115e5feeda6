// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_plan.h"

#include "common/config/proto_time.h"
#include "common/recipe/recipe_encoding.h"

namespace entente::jobs {
namespace {

optimizer::OptimizerName OptimizerNameOf(v1::ServerOptimizer::Name name) {
  switch (name) {
    case v1::ServerOptimizer::NAME_MOMENTUM:
      return optimizer::OptimizerName::kMomentum;
    case v1::ServerOptimizer::NAME_NESTEROV:
      return optimizer::OptimizerName::kNesterov;
    case v1::ServerOptimizer::NAME_ADAGRAD:
      return optimizer::OptimizerName::kAdagrad;
    case v1::ServerOptimizer::NAME_ADAM:
      return optimizer::OptimizerName::kAdam;
    case v1::ServerOptimizer::NAME_YOGI:
      return optimizer::OptimizerName::kYogi;
    default:
      return optimizer::OptimizerName::kSgd;
  }
}

}  // namespace

JobPlan JobPlanOf(const v1::Recipe& recipe) {
  JobPlan plan;
  plan.round_count = recipe.rounds();
  plan.attempts_max = recipe.pacing().attempts();
  plan.evaluates_every = recipe.evaluation().every_rounds();
  rounds::RoundPolicy& policy = plan.round_policy;
  const v1::Quorum& quorum = recipe.pacing().quorum();
  if (quorum.kind_case() == v1::Quorum::kCount) policy.quorum_count = quorum.count();
  if (quorum.kind_case() == v1::Quorum::kShare) policy.quorum_share = quorum.share();
  policy.deadline = ToDuration(recipe.pacing().deadline());
  policy.grace = ToDuration(recipe.pacing().grace());
  policy.evaluation_deadline = ToDuration(recipe.evaluation().deadline());
  return plan;
}

AggregationPlan AggregationPlanOf(const v1::Recipe& recipe) {
  AggregationPlan plan;
  const v1::Aggregation& aggregation = recipe.aggregation();
  plan.weighting = aggregation.weighting() == v1::Aggregation::WEIGHTING_UNIFORM
                       ? aggregation::Weighting::kUniform
                       : aggregation::Weighting::kExamples;
  plan.member_weight_cap = aggregation.member_weight_cap();
  plan.value_bound = aggregation.value_bound();
  plan.encoding = EncodingOf(recipe.updates());
  plan.downloads_bf16 = recipe.updates().download() == v1::Updates::DOWNLOAD_BF16;
  const v1::ServerOptimizer& server = recipe.server_optimizer();
  plan.optimizer.name = OptimizerNameOf(server.name());
  plan.optimizer.learning_rate = server.learning_rate();
  plan.optimizer.momentum = server.momentum();
  plan.optimizer.beta1 = server.beta1();
  plan.optimizer.beta2 = server.beta2();
  plan.optimizer.tau = server.tau();
  return plan;
}

}  // namespace entente::jobs
