// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file_system.h"
#include "common/config/proto_time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/recipe/recipe_examples.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RecipeTest, TheSmallestRecipeIsReadAndCompleted) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(kSmallestRecipe, "r.yaml"));

  EXPECT_EQ(recipe.name(), "toy");
  EXPECT_EQ(recipe.rounds(), 10u);
}

TEST(RecipeTest, VersionAndKindMustBeThereAndRight) {
  EXPECT_THAT(ParseRecipe(RecipeWith("apiVersion: entente/v1\n", ""), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:1:1: apiVersion is missing; the file must say apiVersion: "
                       "entente/v1"));
  EXPECT_THAT(ParseRecipe(RecipeWith("kind: Recipe", "kind: Worker"), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:2:7: kind is \"Worker\"; this file must be written for kind: "
                       "Recipe"));
}

TEST(RecipeTest, AMistakeIsPlacedWhereItWasWritten) {
  EXPECT_THAT(ParseRecipe(RecipeWith("", "training:\n  batchSize: 0"), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:9:14: training.batchSize is 0; it must be 1 to 65,536"));
  EXPECT_THAT(ParseRecipe(RecipeWith("outputs: 3", "outputs: 65537"), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:6:64: model.builtin.outputs is 65,537; it must be 1 to 65,536"));
}

TEST(RecipeTest, ANumberThatItsFieldCannotHoldIsToldTheFieldsOwnRange) {
  EXPECT_THAT(ParseRecipe(RecipeWith("", "rounds: -1"), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:8:9: rounds is \"-1\"; it must be 1 to 100,000"));
  EXPECT_THAT(ParseRecipe(RecipeWith("", "rounds: 4294967296"), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:8:9: rounds is \"4294967296\"; it must be 1 to 100,000"));
}

TEST(RecipeTest, AMissingKeyIsPlacedAtTheSectionThatLacksIt) {
  EXPECT_THAT(ParseRecipe(RecipeWith("architecture: mlp, ", ""), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:6:9: model.builtin.architecture is missing; it is mlp or cnn"));
  EXPECT_THAT(ParseRecipe(RecipeWith("name: toy\n", ""), "r.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "r.yaml:1:1: name is missing; say what the job is called"));
}

TEST(RecipeTest, TheCanonicalTextReadsBackAsTheSameRecipe) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(kSmallestRecipe, "r.yaml"));

  ASSERT_OK_AND_ASSIGN(const v1::Recipe again,
                       ParseRecipe(CanonicalRecipeText(recipe), "canonical"));

  EXPECT_TRUE(MessageDifferencer::Equals(recipe, again));
  EXPECT_EQ(RecipeDigest(recipe), RecipeDigest(again));
}

TEST(RecipeTest, TheCanonicalTextIsPinned) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(kSmallestRecipe, "r.yaml"));

  EXPECT_EQ(CanonicalRecipeText(recipe),
            "apiVersion: entente/v1\n"
            "kind: Recipe\n"
            "name: toy\n"
            "purpose: research\n"
            "dataset: toy\n"
            "model:\n"
            "  builtin:\n"
            "    architecture: mlp\n"
            "    inputShape: [4]\n"
            "    outputs: 3\n"
            "    hidden: [128]\n"
            "task: classification\n"
            "training:\n"
            "  epochs: 1\n"
            "  batchSize: 32\n"
            "  optimizer: sgd\n"
            "  learningRate: 0.01\n"
            "  momentum: 0.0\n"
            "  weightDecay: 0.0\n"
            "  proximalMu: 0.0\n"
            "  seed: 1\n"
            "rounds: 10\n"
            "aggregation:\n"
            "  method: weighted_mean\n"
            "  weighting: examples\n"
            "  memberWeightCap: 1.0\n"
            "  valueBound: 256.0\n"
            "serverOptimizer:\n"
            "  name: sgd\n"
            "  learningRate: 1.0\n"
            "pacing:\n"
            "  cohort:\n"
            "    fraction: 1.0\n"
            "  quorum:\n"
            "    share: 0.5\n"
            "  deadline: 1h\n"
            "  grace: 30s\n"
            "  attempts: 3\n"
            "  lease: 30s\n"
            "updates:\n"
            "  encoding: fp32\n"
            "evaluation:\n"
            "  everyRounds: 1\n"
            "  deadline: 5m\n");
}

TEST(RecipeTest, TheDigestDependsOnEverySettingButNotOnTheText) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(kSmallestRecipe, "r.yaml"));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe written_out,
                       ParseRecipe(RecipeWith("", "rounds: 10 # the default"), "r.yaml"));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe other, ParseRecipe(RecipeWith("", "rounds: 11"), "r.yaml"));

  EXPECT_EQ(RecipeDigest(recipe), RecipeDigest(written_out));
  EXPECT_NE(RecipeDigest(recipe), RecipeDigest(other));
}

TEST(RecipeTest, AFileWithADigestIsNamedByItAlone) {
  v1::Recipe recipe;
  recipe.mutable_model()->mutable_torchscript()->set_file("/home/x/model.pt");
  recipe.mutable_model()->mutable_initial_weights()->set_file("w.safetensors");
  EXPECT_THAT(CanonicalRecipeText(recipe), HasSubstr("/home/x/model.pt"));

  v1::Recipe sent = recipe;
  for (v1::Recipe* either : {&recipe, &sent}) {
    either->mutable_model()->mutable_torchscript()->set_digest(std::string(64, 'a'));
    either->mutable_model()->mutable_initial_weights()->set_digest(std::string(64, 'b'));
  }
  sent.mutable_model()->mutable_torchscript()->clear_file();
  sent.mutable_model()->mutable_initial_weights()->clear_file();

  EXPECT_THAT(CanonicalRecipeText(recipe), Not(HasSubstr("file:")));
  EXPECT_EQ(RecipeDigest(recipe), RecipeDigest(sent));
}

TEST(RecipeTest, ModelKindsAreTheWordsOfPolicies) {
  v1::Recipe recipe;
  recipe.mutable_model()->mutable_builtin()->set_architecture(v1::BuiltinModel::ARCHITECTURE_MLP);
  EXPECT_EQ(ModelKind(recipe), "mlp");
  recipe.mutable_model()->mutable_builtin()->set_architecture(v1::BuiltinModel::ARCHITECTURE_CNN);
  EXPECT_EQ(ModelKind(recipe), "cnn");
  recipe.mutable_model()->mutable_torchscript();
  EXPECT_EQ(ModelKind(recipe), "torchscript");
}

// The sample recipe's text.
std::string Sample() {
  PosixFileSystem files;
  return *ReadTextFile(
      files, absl::StrCat(ENTENTE_SOURCE_DIR, "/configs/recipes/fashion-mnist.yaml"), 1 << 20);
}

TEST(SampleRecipeTest, LoadsAsItIs) {
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(Sample(), "fashion-mnist.yaml"));

  EXPECT_EQ(recipe.name(), "fashion-mnist");
  EXPECT_EQ(ModelKind(recipe), "cnn");
}

TEST(SampleRecipeTest, LeavesNothingToADefault) {
  v1::Recipe recipe = *ParseRecipe(Sample(), "fashion-mnist.yaml");
  const std::string text = Sample();

  // Every key of the complete recipe stands in the file, not in a comment.
  for (const absl::string_view line : absl::StrSplit(CanonicalRecipeText(recipe), '\n')) {
    const std::string key(line.substr(0, line.find(':')));
    EXPECT_TRUE(key.empty() || ("\n" + text).find("\n" + key + ":") != std::string::npos) << key;
  }
}

TEST(SampleRecipeTest, ExplainsEveryOption) {
  std::set<std::string> keys;
  for (absl::string_view line : absl::StrSplit(Sample(), '\n')) {
    line = line.substr(std::min(line.size(), line.find_first_not_of(" #")));
    keys.insert(std::string(line.substr(0, line.find(':'))));
  }

  std::vector<const google::protobuf::Descriptor*> types = {v1::Recipe::descriptor()};
  while (!types.empty()) {
    const auto* type = types.back();
    types.pop_back();
    if (type == google::protobuf::Duration::descriptor()) continue;
    for (int i = 0; i < type->field_count(); ++i) {
      EXPECT_EQ(keys.count(type->field(i)->json_name()), 1u) << type->field(i)->full_name();
      if (type->field(i)->message_type() != nullptr)
        types.push_back(type->field(i)->message_type());
    }
  }
}

}  // namespace
}  // namespace entente
