// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/recipe/recipe_examples.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What is wrong with the recipe, without the place; empty if nothing is.
std::string Mistake(const std::string& text) {
  const auto recipe = ParseRecipe(text, "r.yaml");
  if (recipe.ok()) return "";
  EXPECT_THAT(recipe, StatusIs(StatusCode::kInvalidArgument));
  const std::string message(recipe.status().message());
  return message.substr(message.find(": ") + 2);
}
std::string MistakeWith(absl::string_view from, absl::string_view to) {
  return Mistake(RecipeWith(from, to));
}

constexpr char kMlp[] = "{architecture: mlp, inputShape: [4], outputs: 3}";
const std::string kDigest(64, 'a');

// A key in a section, values at both ends of its range, values just outside, and what is said.
struct RangeCase {
  const char* section;  // With %s for the value.
  std::vector<std::string> good;
  std::vector<std::string> bad;
  const char* sentence;  // Ends each refusal.
};

std::string Filled(const std::string& section, const std::string& value) {
  std::string text = section;
  return text.replace(text.find("%s"), 2, value);
}

TEST(RecipeCheckTest, EveryFieldHasItsRange) {
  const RangeCase cases[] = {
      {"rounds: %s", {"1", "100000"}, {"0", "100001"}, "it must be 1 to 100,000"},
      {"training: {epochs: %s}", {"1", "1000"}, {"0", "1001"}, "it must be 1 to 1,000"},
      {"training: {steps: %s}", {"1", "10000000"}, {"0", "10000001"}, "it must be 1 to 10,000,000"},
      {"training: {batchSize: %s}", {"1", "65536"}, {"0", "65537"}, "it must be 1 to 65,536"},
      {"training: {learningRate: %s}",
       {"1e-9", "100"},
       {"0", "-1", "100.1"},
       "it must be over 0, at most 100"},
      {"training: {momentum: %s}", {"0", "0.999"}, {"-0.1", "1"}, "it must be 0 to under 1"},
      {"training: {weightDecay: %s}", {"0", "1"}, {"-0.1", "1.1"}, "it must be 0 to 1"},
      {"training: {proximalMu: %s}", {"0", "100"}, {"-0.1", "100.1"}, "it must be 0 to 100"},
      {"training: {checkpointEvery: %s}",
       {"100ms", "30s", "1d"},
       {"99ms", "0s", "25h"},
       "it must be 100ms to 1d"},
      {"training: {seed: %s}",
       {"0", "9223372036854775807"},
       {"9223372036854775808"},
       "it must be 0 to 9,223,372,036,854,775,807"},
      {"aggregation: {memberWeightCap: %s}",
       {"0.01", "1"},
       {"0", "1.1"},
       "it must be over 0, at most 1"},
      {"aggregation: {valueBound: %s}",
       {"0.0009765625", "1048576"},
       {"0.0009", "1048577", "0", "-1"},
       "it must be 2^-10 to 2^20 (0.0009765625 to 1,048,576)"},
      {"serverOptimizer: {learningRate: %s}",
       {"1e-9", "100"},
       {"0", "100.1"},
       "it must be over 0, at most 100"},
      {"serverOptimizer: {name: momentum, momentum: %s}",
       {"0", "0.99"},
       {"-0.1", "1"},
       "it must be 0 to under 1"},
      {"serverOptimizer: {name: adam, beta1: %s}",
       {"0", "0.99"},
       {"-0.1", "1"},
       "it must be 0 to under 1"},
      {"serverOptimizer: {name: yogi, beta2: %s}",
       {"0", "0.999"},
       {"-0.1", "1"},
       "it must be 0 to under 1"},
      {"serverOptimizer: {name: adagrad, tau: %s}",
       {"1e-9", "1"},
       {"0", "1.1"},
       "it must be over 0, at most 1"},
      {"pacing: {cohort: {fraction: %s}}",
       {"0.01", "1"},
       {"0", "1.1"},
       "it must be over 0, at most 1"},
      {"pacing: {quorum: {count: %s}}", {"1", "10000"}, {"0", "10001"}, "it must be 1 to 10,000"},
      {"pacing: {quorum: {share: %s}}",
       {"0.01", "1"},
       {"0", "1.1"},
       "it must be over 0, at most 1"},
      {"pacing: {deadline: %s}", {"1s", "90d"}, {"0s", "999ms", "91d"}, "it must be 1s to 90d"},
      {"pacing: {deadline: 90d, grace: %s}", {"0s", "30d"}, {"31d"}, "it must be 0s to 30d"},
      {"pacing: {attempts: %s}", {"1", "100"}, {"0", "101"}, "it must be 1 to 100"},
      {"pacing: {deadline: 90d, lease: %s}", {"1s", "1d"}, {"0s", "25h"}, "it must be 1s to 1d"},
      {"evaluation: {everyRounds: %s}", {"0", "100000"}, {"100001"}, "it must be 0 to 100,000"},
      {"evaluation: {deadline: %s}", {"1s", "1d"}, {"0s", "25h"}, "it must be 1s to 1d"},
  };
  for (const RangeCase& c : cases) {
    for (const std::string& value : c.good) {
      EXPECT_EQ(MistakeWith("", Filled(c.section, value)), "") << c.section << " with " << value;
    }
    for (const std::string& value : c.bad) {
      EXPECT_THAT(MistakeWith("", Filled(c.section, value)), testing::EndsWith(c.sentence))
          << c.section << " with " << value;
    }
  }
}

TEST(RecipeCheckTest, NamesAndTextsHaveTheirForm) {
  EXPECT_EQ(MistakeWith("name: toy", "name: Toy job"),
            "name is \"Toy job\"; it must be 1 to 40 characters of a-z, 0-9 and -, starting with a "
            "letter");
  EXPECT_EQ(MistakeWith("name: toy", "name: " + std::string(40, 'a')), "");
  EXPECT_THAT(MistakeWith("name: toy", "name: " + std::string(41, 'a')), HasSubstr("1 to 40"));
  EXPECT_EQ(MistakeWith("purpose: research", "purpose: " + std::string(200, 'a')), "");
  EXPECT_THAT(MistakeWith("purpose: research", "purpose: " + std::string(201, 'a')),
              HasSubstr("it must be one line of at most 200 characters"));
  EXPECT_THAT(MistakeWith("purpose: research", "purpose: \"a\\nb\""),
              HasSubstr("purpose is \"a\\nb\"; it must be one line"));
  EXPECT_THAT(MistakeWith("dataset: toy", "dataset: ../toy"),
              StartsWith("dataset is \"../toy\"; it must be 1 to 63 characters"));
}

TEST(RecipeCheckTest, WhatIsRequiredMustBeThere) {
  EXPECT_EQ(MistakeWith("purpose: research\n", ""), "purpose is missing; say why the data is used");
  EXPECT_EQ(MistakeWith("dataset: toy\n", ""), "dataset is missing; name the data set");
  EXPECT_EQ(MistakeWith("task: classification\n", ""),
            "task is missing; it is classification or regression");
  EXPECT_EQ(MistakeWith(absl::StrCat("model: {builtin: ", kMlp, "}\n"), ""),
            "model is missing; say what is trained: model.builtin or model.torchscript");
  EXPECT_THAT(MistakeWith("inputShape: [4], ", ""),
              StartsWith("model.builtin.inputShape is missing"));
  EXPECT_EQ(MistakeWith(", outputs: 3", ""), "model.builtin.outputs is 0; it must be 1 to 65,536");
}

TEST(RecipeCheckTest, ModelsAreOfASensibleShape) {
  const std::string cnn = "architecture: cnn, inputShape: [3, 8, 8]";
  const std::string mlp = "architecture: mlp, inputShape: [4]";
  EXPECT_EQ(MistakeWith(mlp, cnn), "");
  EXPECT_EQ(MistakeWith(mlp, cnn + ", channels: [4, 4, 4]"), "");
  EXPECT_EQ(MistakeWith(mlp, cnn + ", channels: [4, 4, 4, 4]"),
            "model.builtin.inputShape is 8 by 8 high and wide; 4 convolutions need at least 16 of "
            "both");
  EXPECT_EQ(MistakeWith(mlp, "architecture: cnn, inputShape: [4]"),
            "model.builtin.inputShape has 1 entries; a cnn needs three: channels, height, width");
  EXPECT_EQ(MistakeWith("[4]", "[3, 8, 8]"), "");
  EXPECT_EQ(MistakeWith("[4]", "[8, 8]"),
            "model.builtin.inputShape has 2 entries; it must be [features] or [channels, height, "
            "width]");
  EXPECT_EQ(MistakeWith("[4]", "[0]"), "model.builtin.inputShape[0] is 0; it must be 1 to 65,536");
  EXPECT_EQ(MistakeWith("[4]", "[65537]"),
            "model.builtin.inputShape[0] is 65,537; it must be 1 to 65,536");
  EXPECT_EQ(MistakeWith("outputs: 3", "outputs: 3, hidden: [1, 0]"),
            "model.builtin.hidden[1] is 0; it must be 1 to 65,536");
  EXPECT_EQ(MistakeWith("outputs: 3", "outputs: 3, hidden: [1, 1, 1, 1, 1, 1, 1, 1, 1]"),
            "model.builtin.hidden has 9 entries; it may have at most 8");
  EXPECT_EQ(MistakeWith("outputs: 3", "outputs: 3, channels: [4]"),
            "model.builtin.channels is for cnn only; remove it, or choose cnn");
  EXPECT_EQ(MistakeWith("[4]", "[65536, 65536, 65536]"),
            "model.builtin has about 3.60288e+16 parameters; at most 17,179,869,184 are allowed");
}

TEST(RecipeCheckTest, FilesAreNamedByPathOrDigest) {
  const std::string builtin = absl::StrCat("{builtin: ", kMlp, "}");
  EXPECT_EQ(MistakeWith(builtin, "{torchscript: {file: a.pt}}"), "");
  EXPECT_EQ(MistakeWith(builtin, absl::StrCat("{torchscript: {digest: ", kDigest, "}}")), "");
  EXPECT_EQ(MistakeWith(builtin, "{torchscript: {}}"),
            "model.torchscript.file is missing; name the file, or give its digest");
  EXPECT_EQ(
      MistakeWith(builtin, "{torchscript: {digest: abc}}"),
      "model.torchscript.digest is \"abc\"; it must be a SHA-256 of 64 lower-case hexadecimal "
      "digits");
  EXPECT_EQ(MistakeWith("outputs: 3}", "outputs: 3}, initialWeights: {}"),
            "model.initialWeights.file is missing; name the file, or give its digest");
  EXPECT_EQ(MistakeWith("outputs: 3}", "outputs: 3}, torchscript: {file: a.pt}"),
            "\"builtin\" and \"torchscript\" exclude each other in model; remove one");
}

TEST(RecipeCheckTest, WhatWouldBeIgnoredIsRefused) {
  const auto optimizer = [](const std::string& settings) {
    return MistakeWith("", "serverOptimizer: {" + settings + "}");
  };
  EXPECT_EQ(MistakeWith("", "training: {optimizer: adamw, momentum: 0}"),
            "training.momentum is for sgd only; remove it, or choose sgd");
  EXPECT_EQ(optimizer("momentum: 0.9"),
            "serverOptimizer.momentum is for momentum and nesterov only; remove it, or choose "
            "another optimizer");
  EXPECT_THAT(optimizer("name: adam, momentum: 0.9"), HasSubstr("momentum and nesterov only"));
  EXPECT_THAT(optimizer("name: nesterov, beta1: 0.9"), HasSubstr("adagrad, adam and yogi only"));
  EXPECT_THAT(optimizer("name: adagrad, beta2: 0.9"), HasSubstr("adam and yogi only"));
  EXPECT_THAT(optimizer("name: sgd, tau: 0.1"), HasSubstr("adagrad, adam and yogi only"));
  EXPECT_EQ(
      MistakeWith("", "evaluation: {everyRounds: 0, deadline: 1m}"),
      "evaluation.deadline means nothing while evaluation.everyRounds is 0; remove one of the "
      "two");
}

TEST(RecipeCheckTest, TopkIsForTopkAndItsFractionIsAtMostAHalf) {
  EXPECT_EQ(MistakeWith("", "updates: {encoding: topk}"), "");
  EXPECT_EQ(MistakeWith("", "updates: {encoding: topk, topk: {fraction: 0.5, values: 2bit}}"), "");
  EXPECT_EQ(MistakeWith("", "updates: {encoding: topk, topk: {fraction: 0.6}}"),
            "updates.topk.fraction is 0.6; it must be over 0, at most 0.5");
  EXPECT_THAT(MistakeWith("", "updates: {encoding: topk, topk: {fraction: 0}}"),
              HasSubstr("over 0, at most 0.5"));
  EXPECT_EQ(MistakeWith("", "updates: {encoding: int8, topk: {values: int8}}"),
            "updates.topk is for topk only; remove it, or choose topk");
  EXPECT_THAT(MistakeWith("", "updates: {encoding: int9}"), HasSubstr("int8"));
  EXPECT_EQ(MistakeWith("", "updates: {download: bf16, compression: zstd}"), "");
  EXPECT_THAT(MistakeWith("", "updates: {download: fp16}"), HasSubstr("bf16"));
  EXPECT_THAT(MistakeWith("", "updates: {compression: gzip}"), HasSubstr("zstd"));
}

TEST(RecipeCheckTest, GraceAndLeaseFitIntoTheDeadline) {
  EXPECT_EQ(MistakeWith("", "pacing: {deadline: 10m, grace: 10m, lease: 10m}"), "");
  EXPECT_EQ(MistakeWith("", "pacing: {deadline: 10m, grace: 11m}"),
            "pacing.grace is 11m; it must be at most pacing.deadline, which is 10m");
  EXPECT_EQ(MistakeWith("", "pacing: {deadline: 10m, lease: 11m}"),
            "pacing.lease is 11m; it must be at most pacing.deadline, which is 10m");
}

// What a peer may send, but no file can say.
class RecipeFromAPeerTest : public testing::Test {
 protected:
  RecipeFromAPeerTest() : recipe_(*ParseRecipe(kSmallestRecipe, "r.yaml")) {}

  v1::Recipe recipe_;
};

TEST_F(RecipeFromAPeerTest, AWrongVersionOrKindIsRefused) {
  recipe_.set_api_version("entente/v2");
  EXPECT_THAT(CheckRecipe(recipe_), StatusIs(StatusCode::kInvalidArgument,
                                             "apiVersion is \"entente/v2\"; it must be "
                                             "\"entente/v1\""));
  recipe_.set_api_version("entente/v1");
  recipe_.set_kind("Worker");
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument, "kind is \"Worker\"; it must be \"Recipe\""));
}

TEST_F(RecipeFromAPeerTest, NotANumberIsInNoRange) {
  recipe_.mutable_training()->set_learning_rate(std::nan(""));
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument,
                       "training.learningRate is nan; it must be over 0, at most 100"));
  recipe_.mutable_training()->set_learning_rate(std::numeric_limits<double>::infinity());
  EXPECT_THAT(CheckRecipe(recipe_), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(RecipeFromAPeerTest, AnEmptyRecipeIsRefused) {
  EXPECT_THAT(CheckRecipe(v1::Recipe()), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(RecipeFromAPeerTest, AbsurdDurationsAreRefused) {
  recipe_.mutable_pacing()->mutable_deadline()->set_seconds(std::numeric_limits<int64_t>::max());
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("pacing.deadline is ")));
  recipe_.mutable_pacing()->mutable_deadline()->set_seconds(std::numeric_limits<int64_t>::min());
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("pacing.deadline is ")));
}

TEST_F(RecipeFromAPeerTest, AWordOfANewerVersionIsRefused) {
  recipe_.mutable_aggregation()->set_method(static_cast<v1::Aggregation::Method>(9));
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument,
                       "aggregation.method is number 9, which this version does not know"));
}

TEST_F(RecipeFromAPeerTest, AFieldOfANewerVersionIsRefused) {
  auto* training = recipe_.mutable_training();
  training->GetReflection()->MutableUnknownFields(training)->AddVarint(999, 1);
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument,
                       StartsWith("training has a field this version does not know")));
}

TEST_F(RecipeFromAPeerTest, TooManyConvolutionsAreRefused) {
  auto* builtin = recipe_.mutable_model()->mutable_builtin();
  builtin->set_architecture(v1::BuiltinModel::ARCHITECTURE_CNN);
  for (int i = 0; i < 2; ++i) builtin->add_input_shape(65'536);
  for (int i = 0; i < 1'000; ++i) builtin->add_channels(1);
  EXPECT_THAT(CheckRecipe(recipe_),
              StatusIs(StatusCode::kInvalidArgument,
                       "model.builtin.channels has 1000 entries; it may have at most 8"));
}

}  // namespace
}  // namespace entente
