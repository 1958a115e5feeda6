// SPDX-License-Identifier: Apache-2.0
// FillRecipeDefaults, declared in common/recipe/recipe.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/recipe/recipe_examples.h"

namespace entente {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Recipe Parsed(const std::string& text) {
  const auto recipe = ParseRecipe(text, "r.yaml");
  EXPECT_THAT(recipe, IsOk());
  return recipe.ok() ? *recipe : v1::Recipe();
}

TEST(RecipeDefaultsTest, TrainingHasItsDefaults) {
  const v1::Training training = Parsed(kSmallestRecipe).training();

  EXPECT_EQ(training.epochs(), 1u);
  EXPECT_FALSE(training.has_steps());
  EXPECT_EQ(training.batch_size(), 32u);
  EXPECT_EQ(training.optimizer(), v1::Training::OPTIMIZER_SGD);
  EXPECT_EQ(training.learning_rate(), 0.01);
  EXPECT_TRUE(training.has_momentum());
  EXPECT_EQ(training.momentum(), 0);
  EXPECT_EQ(training.weight_decay(), 0);
  EXPECT_EQ(training.proximal_mu(), 0);
  EXPECT_EQ(training.seed(), 1u);
}

TEST(RecipeDefaultsTest, WhatWasWrittenStays) {
  const v1::Recipe recipe = Parsed(
      RecipeWith("", "training: {steps: 7, seed: 0, batchSize: 1}\nevaluation: {everyRounds: 0}"));

  EXPECT_EQ(recipe.training().steps(), 7u);
  EXPECT_FALSE(recipe.training().has_epochs());
  EXPECT_EQ(recipe.training().seed(), 0u);
  EXPECT_EQ(recipe.evaluation().every_rounds(), 0u);
  EXPECT_FALSE(recipe.evaluation().has_deadline());
}

TEST(RecipeDefaultsTest, AdamwHasNoMomentum) {
  EXPECT_FALSE(Parsed(RecipeWith("", "training: {optimizer: adamw}")).training().has_momentum());
}

TEST(RecipeDefaultsTest, ModelsHaveTheirLayers) {
  const v1::Recipe mlp = Parsed(kSmallestRecipe);
  const v1::Recipe cnn = Parsed(
      RecipeWith("architecture: mlp, inputShape: [4]", "architecture: cnn, inputShape: [3, 8, 8]"));

  EXPECT_THAT(mlp.model().builtin().hidden(), ElementsAre(128));
  EXPECT_THAT(mlp.model().builtin().channels(), IsEmpty());
  EXPECT_THAT(cnn.model().builtin().hidden(), ElementsAre(128));
  EXPECT_THAT(cnn.model().builtin().channels(), ElementsAre(16, 32));
}

TEST(RecipeDefaultsTest, EachServerOptimizerHasItsOwn) {
  struct Case {
    const char* name;
    double learning_rate;
    bool has_momentum, has_beta1, has_beta2, has_tau;
    double beta1;
  };
  const Case cases[] = {
      {"sgd", 1, false, false, false, false, 0},
      {"momentum", 1, true, false, false, false, 0},
      {"nesterov", 0.7, true, false, false, false, 0},
      {"adagrad", 0.01, false, true, false, true, 0},
      {"adam", 0.01, false, true, true, true, 0.9},
      {"yogi", 0.01, false, true, true, true, 0.9},
  };
  for (const Case& c : cases) {
    const v1::ServerOptimizer optimizer =
        Parsed(RecipeWith("", std::string("serverOptimizer: {name: ") + c.name + "}"))
            .server_optimizer();
    EXPECT_EQ(optimizer.learning_rate(), c.learning_rate) << c.name;
    EXPECT_EQ(optimizer.has_momentum(), c.has_momentum) << c.name;
    EXPECT_EQ(optimizer.momentum(), c.has_momentum ? 0.9 : 0) << c.name;
    EXPECT_EQ(optimizer.has_beta1(), c.has_beta1) << c.name;
    EXPECT_EQ(optimizer.beta1(), c.beta1) << c.name;
    EXPECT_EQ(optimizer.has_beta2(), c.has_beta2) << c.name;
    EXPECT_EQ(optimizer.beta2(), c.has_beta2 ? 0.99 : 0) << c.name;
    EXPECT_EQ(optimizer.has_tau(), c.has_tau) << c.name;
    EXPECT_EQ(optimizer.tau(), c.has_tau ? 0.001 : 0) << c.name;
  }
}

TEST(RecipeDefaultsTest, GraceAndLeaseNeverOutlastAShortDeadline) {
  const v1::Pacing pacing = Parsed(RecipeWith("", "pacing: {deadline: 10s}")).pacing();

  EXPECT_EQ(ToDuration(pacing.grace()), absl::Seconds(10));
  EXPECT_EQ(ToDuration(pacing.lease()), absl::Seconds(10));
}

TEST(RecipeDefaultsTest, FillingTwiceChangesNothing) {
  for (const char* name : {"sgd", "momentum", "nesterov", "adagrad", "adam", "yogi"}) {
    const v1::Recipe once =
        Parsed(RecipeWith("", std::string("serverOptimizer: {name: ") + name + "}"));
    v1::Recipe twice = once;

    FillRecipeDefaults(&twice);

    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(once, twice)) << name;
    EXPECT_THAT(CheckRecipe(twice), IsOk());
  }
}

TEST(RecipeDefaultsTest, AnEmptyRecipeStillLacksWhatIsRequired) {
  v1::Recipe recipe;

  FillRecipeDefaults(&recipe);

  EXPECT_THAT(CheckRecipe(recipe), StatusIs(absl::StatusCode::kInvalidArgument,
                                            "name is missing; say what the job is called"));
}

TEST(RecipeDefaultsTest, OnlyTopkHasItsNumbers) {
  const v1::Updates topk = Parsed(RecipeWith("", "updates: {encoding: topk}")).updates();
  EXPECT_EQ(topk.topk().fraction(), 0.03125);
  EXPECT_EQ(topk.topk().values(), v1::TopK::VALUES_INT8);
  EXPECT_FALSE(Parsed(RecipeWith("", "updates: {encoding: int4}")).updates().has_topk());
}

TEST(RecipeDefaultsTest, UpdatesAndModelsTravelAsTheyAre) {
  const v1::Updates updates = Parsed(kSmallestRecipe).updates();
  EXPECT_EQ(updates.encoding(), v1::Updates::ENCODING_FP32);
  EXPECT_EQ(updates.download(), v1::Updates::DOWNLOAD_UNSPECIFIED);
  EXPECT_EQ(updates.compression(), v1::Updates::COMPRESSION_UNSPECIFIED);
  const v1::Updates the_same =
      Parsed(RecipeWith("", "updates: {download: fp32, compression: none}")).updates();
  EXPECT_EQ(the_same.SerializeAsString(), updates.SerializeAsString());
  const v1::Updates written =
      Parsed(RecipeWith("", "updates: {download: bf16, compression: zstd}")).updates();
  EXPECT_EQ(written.download(), v1::Updates::DOWNLOAD_BF16);
  EXPECT_EQ(written.compression(), v1::Updates::COMPRESSION_ZSTD);
}

}  // namespace
}  // namespace entente
