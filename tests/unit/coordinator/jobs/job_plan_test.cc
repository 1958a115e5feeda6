// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_plan.h"

#include <gtest/gtest.h>

#include "common/recipe/recipe.h"

namespace entente::jobs {
namespace {

v1::Recipe DefaultRecipe() {
  v1::Recipe recipe;
  FillRecipeDefaults(&recipe);
  return recipe;
}

TEST(JobPlanTest, DefaultsComeThrough) {
  const JobPlan plan = JobPlanOf(DefaultRecipe());

  EXPECT_EQ(plan.round_count, 10U);
  EXPECT_EQ(plan.attempts_max, 3U);
  EXPECT_EQ(plan.evaluates_every, 1U);
  EXPECT_EQ(plan.round_policy.deadline, absl::Hours(1));
  EXPECT_EQ(plan.round_policy.grace, absl::Seconds(30));
  EXPECT_EQ(plan.round_policy.quorum_share, 0.5);
  EXPECT_FALSE(plan.round_policy.quorum_count.has_value());
}

TEST(JobPlanTest, QuorumCountReplacesTheShare) {
  v1::Recipe recipe = DefaultRecipe();
  recipe.mutable_pacing()->mutable_quorum()->set_count(3);

  EXPECT_EQ(JobPlanOf(recipe).round_policy.quorum_count, 3U);
}

TEST(JobPlanTest, AggregationChoicesComeThrough) {
  v1::Recipe recipe = DefaultRecipe();
  recipe.mutable_aggregation()->set_weighting(v1::Aggregation::WEIGHTING_UNIFORM);
  recipe.mutable_aggregation()->set_member_weight_cap(0.4);
  recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_BF16);

  const AggregationPlan plan = AggregationPlanOf(recipe);

  EXPECT_EQ(plan.weighting, aggregation::Weighting::kUniform);
  EXPECT_EQ(plan.member_weight_cap, 0.4);
  EXPECT_EQ(plan.encoding, UpdateEncoding::kBf16);
}

TEST(JobPlanTest, EveryServerOptimizerHasItsCounterpart) {
  const std::pair<v1::ServerOptimizer::Name, optimizer::OptimizerName> names[] = {
      {v1::ServerOptimizer::NAME_SGD, optimizer::OptimizerName::kSgd},
      {v1::ServerOptimizer::NAME_MOMENTUM, optimizer::OptimizerName::kMomentum},
      {v1::ServerOptimizer::NAME_NESTEROV, optimizer::OptimizerName::kNesterov},
      {v1::ServerOptimizer::NAME_ADAGRAD, optimizer::OptimizerName::kAdagrad},
      {v1::ServerOptimizer::NAME_ADAM, optimizer::OptimizerName::kAdam},
      {v1::ServerOptimizer::NAME_YOGI, optimizer::OptimizerName::kYogi}};
  for (const auto& [wire, ours] : names) {
    v1::Recipe recipe;
    recipe.mutable_server_optimizer()->set_name(wire);
    FillRecipeDefaults(&recipe);
    EXPECT_EQ(AggregationPlanOf(recipe).optimizer.name, ours);
  }
}

TEST(JobPlanTest, TopkComesThroughWithItsNumbers) {
  v1::Recipe recipe;
  recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_TOPK);
  FillRecipeDefaults(&recipe);
  recipe.mutable_updates()->mutable_topk()->set_fraction(0.25);

  EXPECT_EQ(AggregationPlanOf(recipe).encoding, UpdateEncoding::Topk(0.25, TopkValues::kInt8));
}

}  // namespace
}  // namespace entente::jobs
