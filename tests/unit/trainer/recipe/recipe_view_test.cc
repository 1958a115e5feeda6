// SPDX-License-Identifier: Apache-2.0
#include "trainer/recipe/recipe_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<RecipeView> Parse(const nlohmann::json& recipe) {
  return ParseRecipe(recipe.dump(), "recipe");
}

absl::StatusOr<RecipeView> ParseWith(const std::string& pointer, const nlohmann::json& value) {
  nlohmann::json recipe = SampleCnnRecipe();
  recipe[nlohmann::json::json_pointer(pointer)] = value;
  return Parse(recipe);
}

TEST(RecipeViewTest, JsonIsRead) {
  ASSERT_OK_AND_ASSIGN(const RecipeView recipe, Parse(SampleCnnRecipe()));

  ASSERT_TRUE(recipe.builtin.has_value());
  EXPECT_EQ(recipe.builtin->architecture, Architecture::kCnn);
  EXPECT_THAT(recipe.builtin->input_shape, ElementsAre(1, 4, 4));
  EXPECT_THAT(recipe.builtin->channels, ElementsAre(4, 8));
  EXPECT_EQ(recipe.task, LearningTask::kClassification);
  EXPECT_EQ(recipe.training.epochs, 1);
  EXPECT_EQ(recipe.training.steps, std::nullopt);
  EXPECT_EQ(recipe.training.batch_size, 8);
  EXPECT_EQ(recipe.training.learning_rate, 0.1);
  EXPECT_EQ(recipe.training.seed, 7U);
}

TEST(RecipeViewTest, YamlIsRead) {
  const auto recipe = ParseRecipe(R"(
model:
  torchscript: {file: model.pt}
task: regression
training: {steps: 10, batchSize: 4, optimizer: adamw, learningRate: 1e-3, weightDecay: 0.01,
           proximalMu: 0.5, seed: 9}
)",
                                  "recipe.yaml");

  ASSERT_THAT(recipe, IsOk());
  EXPECT_FALSE(recipe->builtin.has_value());
  EXPECT_EQ(recipe->task, LearningTask::kRegression);
  EXPECT_EQ(recipe->training.steps, 10);
  EXPECT_EQ(recipe->training.optimizer, LocalOptimizer::kAdamW);
  EXPECT_EQ(recipe->training.learning_rate, 1e-3);
  EXPECT_EQ(recipe->training.proximal_mu, 0.5);
}

TEST(RecipeViewTest, AMissingKeyIsNamedWithTheWayOut) {
  for (const char* const key : {"batchSize", "optimizer", "learningRate", "momentum", "weightDecay",
                                "proximalMu", "seed", "epochs"}) {
    nlohmann::json recipe = SampleRecipe();
    recipe["training"].erase(key);

    EXPECT_THAT(
        Parse(recipe),
        StatusIs(
            absl::StatusCode::kInvalidArgument,
            HasSubstr(std::string("recipe: training.") + key +
                      " is missing; give the recipe as `entente job submit --dry-run` prints it")));
  }
}

TEST(RecipeViewTest, ValuesOutOfRangeAreRefused) {
  EXPECT_THAT(ParseWith("/training/batchSize", 0),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("training.batchSize is 0, expected 1 to")));
  EXPECT_THAT(ParseWith("/training/batchSize", 1.5),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected a whole number")));
  EXPECT_THAT(ParseWith("/training/learningRate", 0), Not(IsOk()));
  EXPECT_THAT(ParseWith("/training/learningRate", "nan"), Not(IsOk()));
  EXPECT_THAT(ParseWith("/training/momentum", 1), Not(IsOk()));
  EXPECT_THAT(ParseWith("/training/steps", 5),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("give one of the two")));
  EXPECT_THAT(ParseWith("/training/optimizer", "lion"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected sgd or adamw")));
  EXPECT_THAT(ParseWith("/task", "generation"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("expected classification or regression")));
  EXPECT_THAT(ParseWith("/model", nlohmann::json::object()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("builtin or torchscript")));
  EXPECT_THAT(ParseWith("/model/builtin/hidden", nlohmann::json::array()), Not(IsOk()));
  EXPECT_THAT(ParseWith("/model/builtin/inputShape", {65536, 65536, 65536}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2^30")));
}

TEST(RecipeViewTest, ACnnMustFitItsImage) {
  EXPECT_THAT(ParseWith("/model/builtin/inputShape", {16}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[channels, height, width]")));
  EXPECT_THAT(
      ParseWith("/model/builtin/channels", {4, 4, 4}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4 pixels do not last that long")));
}

TEST(RecipeViewTest, BrokenTextIsRefusedWithItsPlace) {
  EXPECT_THAT(ParseRecipe("a: [1", "recipe.yaml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("recipe.yaml:1:")));
  EXPECT_THAT(ParseRecipe("- 1", "recipe.yaml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not a recipe")));
}

}  // namespace
}  // namespace entente::trainer
