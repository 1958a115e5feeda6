// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml_to_proto.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/proto_time.h"
#include "entente/config/v1/coordinator.pb.h"
#include "entente/config/v1/worker.pb.h"
#include "entente/v1/job.pb.h"
#include "entente/v1/recipe.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::absl::StatusCode;

// The sentence for a recipe text that is wrong.
std::string RecipeMistake(absl::string_view yaml) {
  v1::Recipe recipe;
  const absl::Status status = YamlToProto(yaml, "recipe.yaml", &recipe);
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  return std::string(status.message());
}

TEST(YamlToProtoTest, ReadsEveryKindOfField) {
  v1::Recipe recipe;
  ASSERT_THAT(YamlToProto("name: 2026\n"
                          "purpose: 'no'\n"
                          "model:\n"
                          "  builtin: {architecture: cnn, inputShape: [1, 28, 28]}\n"
                          "task: classification\n"
                          "training:\n"
                          "  steps: 5\n"
                          "  learningRate: 1e-3\n"
                          "pacing: {deadline: 1h30m}\n"
                          "evaluation:\n",
                          "recipe.yaml", &recipe),
              IsOk());

  EXPECT_EQ(recipe.name(), "2026");
  EXPECT_EQ(recipe.purpose(), "no");
  EXPECT_EQ(recipe.model().builtin().architecture(), v1::BuiltinModel::ARCHITECTURE_CNN);
  EXPECT_EQ(recipe.model().builtin().input_shape_size(), 3);
  EXPECT_EQ(recipe.task(), v1::TASK_CLASSIFICATION);
  EXPECT_EQ(recipe.training().steps(), 5u);
  EXPECT_EQ(recipe.training().learning_rate(), 0.001);
  EXPECT_EQ(ToDuration(recipe.pacing().deadline()), absl::Minutes(90));
  EXPECT_TRUE(recipe.has_evaluation());
}

TEST(YamlToProtoTest, ReadsListsOfSectionsByteCountsAndSwitches) {
  config::v1::CoordinatorConfig config;
  ASSERT_THAT(YamlToProto("members:\n- id: no-lab\n  jurisdiction: NO\n- id: fr-lab\n"
                          "limits: {blobBytesMax: 64 GiB, freeBytesMin: 7}\nreflection: true\n",
                          "c.yaml", &config),
              IsOk());

  ASSERT_EQ(config.members_size(), 2);
  EXPECT_EQ(config.members(0).jurisdiction(), "NO");
  EXPECT_EQ(config.limits().blob_bytes_max(), uint64_t{64} << 30);
  EXPECT_EQ(config.limits().free_bytes_min(), 7u);
  EXPECT_TRUE(config.reflection());
}

TEST(YamlToProtoTest, ReadsTimesAndSignedNumbers) {
  v1::Job job;
  ASSERT_THAT(YamlToProto("submittedAt: 2026-01-31T12:00:00Z\n", "j.yaml", &job), IsOk());
  EXPECT_EQ(ToTime(job.submitted_at()), absl::FromUnixSeconds(1'769'860'800));
  google::protobuf::Int32Value number;
  ASSERT_THAT(YamlToProto("value: -2147483648", "n.yaml", &number), IsOk());
  EXPECT_EQ(number.value(), std::numeric_limits<int32_t>::min());
  google::protobuf::Int64Value large;
  ASSERT_THAT(YamlToProto("value: -5", "n.yaml", &large), IsOk());
  EXPECT_EQ(large.value(), -5);
  google::protobuf::FloatValue fraction;
  ASSERT_THAT(YamlToProto("value: 0.5", "n.yaml", &fraction), IsOk());
  EXPECT_EQ(fraction.value(), 0.5f);
}

TEST(YamlToProtoTest, ClearsTheMessageFirst) {
  v1::Recipe recipe;
  recipe.set_dataset("old");

  ASSERT_THAT(YamlToProto("", "recipe.yaml", &recipe), IsOk());

  EXPECT_EQ(recipe.dataset(), "");
}

TEST(YamlToProtoTest, AnUnknownKeyIsNamedWithTheNearest) {
  EXPECT_EQ(RecipeMistake("training:\n  learningrate: 1\n"),
            "recipe.yaml:2:3: unknown key \"learningrate\" in training; did you mean "
            "\"learningRate\"?");
  EXPECT_EQ(RecipeMistake("nmae: x\n"),
            "recipe.yaml:1:1: unknown key \"nmae\"; did you mean \"name\"?");
  EXPECT_EQ(
      RecipeMistake("training: {batch_size: 5}\n"),
      "recipe.yaml:1:12: unknown key \"batch_size\" in training; did you mean \"batchSize\"?");
}

TEST(YamlToProtoTest, AnUnknownKeyLikeNoOtherIsAnsweredWithAllThereAre) {
  EXPECT_EQ(RecipeMistake("updates: {sparsity: zip}\n"),
            "recipe.yaml:1:11: unknown key \"sparsity\" in updates; known are encoding, topk, "
            "download, compression");
}

TEST(YamlToProtoTest, AKeyThatIsThereTwiceIsRefused) {
  EXPECT_EQ(RecipeMistake("rounds: 1\nrounds: 2\n"),
            "recipe.yaml:2:1: the key \"rounds\" is there twice");
  EXPECT_EQ(RecipeMistake("training:\n  seed: 1\n  seed: 2\n"),
            "recipe.yaml:3:3: the key \"seed\" is there twice in training");
}

TEST(YamlToProtoTest, TwoKeysOfOneChoiceAreRefused) {
  EXPECT_EQ(RecipeMistake("training:\n  epochs: 1\n  steps: 2\n"),
            "recipe.yaml:3:3: \"epochs\" and \"steps\" exclude each other in training; remove one");
}

TEST(YamlToProtoTest, AnUnknownWordIsNamedWithTheNearestOrAll) {
  EXPECT_EQ(RecipeMistake("task: clasification\n"),
            "recipe.yaml:1:7: task is \"clasification\", which it cannot be; did you mean "
            "\"classification\"?");
  EXPECT_EQ(RecipeMistake("updates: {encoding: unspecified}\n"),
            "recipe.yaml:1:21: updates.encoding is \"unspecified\", which it cannot be; known are "
            "fp32, bf16, fp16, int8, int4, topk");
  EXPECT_EQ(RecipeMistake("task: 1\n"),
            "recipe.yaml:1:7: task is \"1\", which it cannot be; known are classification, "
            "regression");
}

TEST(YamlToProtoTest, AWrongTypeIsSaidWithWhatIsWanted) {
  EXPECT_EQ(RecipeMistake("rounds: ten\n"),
            "recipe.yaml:1:9: rounds is \"ten\"; it must be a whole number, such as 12");
  EXPECT_EQ(RecipeMistake("rounds: 1.5\n"),
            "recipe.yaml:1:9: rounds is \"1.5\"; it must be a whole number, such as 12");
  EXPECT_EQ(
      RecipeMistake("training: {learningRate: fast}\n"),
      "recipe.yaml:1:26: training.learningRate is \"fast\"; it must be a number, such as 0.01");
  EXPECT_EQ(
      RecipeMistake("training: {learningRate: .nan}\n"),
      "recipe.yaml:1:26: training.learningRate is \".nan\"; it must be a number, such as 0.01");
  EXPECT_EQ(
      RecipeMistake("pacing: {grace: 90}\n"),
      "recipe.yaml:1:17: pacing.grace is \"90\"; it must be a number with a unit (ms, s, m, h "
      "or d), such as 90s or 1h30m");
  EXPECT_EQ(RecipeMistake("training: 5\n"),
            "recipe.yaml:1:11: training must be a section of keys, not a single value");
  EXPECT_EQ(RecipeMistake("rounds: [1]\n"),
            "recipe.yaml:1:9: rounds must be a single value, not a list");
  EXPECT_EQ(RecipeMistake("pacing: {grace: {a: 1}}\n"),
            "recipe.yaml:1:17: pacing.grace must be a single value, not a section of keys");
  EXPECT_EQ(RecipeMistake("- a\n- b\n"),
            "recipe.yaml:1:1: the file must be a section of keys, not a list");
}

TEST(YamlToProtoTest, ATextInQuotesIsNoNumber) {
  EXPECT_EQ(RecipeMistake("rounds: \"12\"\n"),
            "recipe.yaml:1:9: rounds is \"12\" in quotes; it must be written without quotes");
}

TEST(YamlToProtoTest, ASwitchIsTrueOrFalseOnly) {
  config::v1::CoordinatorConfig config;
  for (const char* word : {"yes", "on", "True", "1"}) {
    EXPECT_THAT(
        YamlToProto(absl::StrCat("reflection: ", word), "c.yaml", &config),
        StatusIs(StatusCode::kInvalidArgument, absl::StrCat("c.yaml:1:13: reflection is \"", word,
                                                            "\"; it must be true or false")));
  }
}

TEST(YamlToProtoTest, ANumberOutOfItsTypesRangeIsRefused) {
  EXPECT_EQ(RecipeMistake("rounds: 4294967296\n"),
            "recipe.yaml:1:9: rounds is \"4294967296\"; it must be 0 to 4,294,967,295");
  EXPECT_EQ(RecipeMistake("rounds: -1\n"),
            "recipe.yaml:1:9: rounds is \"-1\"; it must be 0 to 4,294,967,295");
  EXPECT_EQ(RecipeMistake("training: {learningRate: 1e999}\n"),
            "recipe.yaml:1:26: training.learningRate is \"1e999\"; it must be a smaller number");
}

TEST(YamlToProtoTest, AKeyWithoutAValueIsRefused) {
  EXPECT_THAT(RecipeMistake("name:\nrounds: 5\n"),
              testing::HasSubstr(": name has no value; write one, or leave the key out"));
  EXPECT_THAT(RecipeMistake("rounds: ~\n"), testing::HasSubstr("rounds has no value"));
}

TEST(YamlToProtoTest, AListThatIsNoneOrEmptyIsRefused) {
  EXPECT_EQ(RecipeMistake("model: {builtin: {hidden: 5}}\n"),
            "recipe.yaml:1:27: model.builtin.hidden must be a list, such as [a, b], not a single "
            "value");
  EXPECT_EQ(
      RecipeMistake("model: {builtin: {hidden: []}}\n"),
      "recipe.yaml:1:27: model.builtin.hidden is an empty list; leave the key out, or give it "
      "an entry");
  EXPECT_EQ(
      RecipeMistake("model: {builtin: {hidden: [5, x]}}\n"),
      "recipe.yaml:1:31: model.builtin.hidden[1] is \"x\"; it must be a whole number, such as "
      "12");
}

TEST(YamlToProtoTest, AByteCountOfAnotherUnitIsRefused) {
  config::v1::WorkerConfig config;
  EXPECT_THAT(
      YamlToProto("cacheBytesMax: 5 GB", "w.yaml", &config),
      StatusIs(StatusCode::kInvalidArgument,
               "w.yaml:1:16: cacheBytesMax is \"5 GB\"; it must be a whole number of bytes, "
               "or of KiB, MiB, GiB or TiB, such as 20 GiB"));
}

TEST(YamlToProtoTest, AWrongTimeIsRefused) {
  v1::Job job;
  EXPECT_THAT(YamlToProto("submittedAt: yesterday", "j.yaml", &job),
              StatusIs(StatusCode::kInvalidArgument,
                       "j.yaml:1:14: submittedAt is \"yesterday\"; it must be a time, such as "
                       "2026-01-31T12:00:00Z"));
}

TEST(YamlToProtoTest, AHostileKeyIsShownCutAndEscaped) {
  EXPECT_EQ(RecipeMistake(std::string("\"\\n") + std::string(500, 'k') + "\": 1\n"),
            "recipe.yaml:1:1: unknown key \"\\n" + std::string(59, 'k') +
                "...\"; known are apiVersion, kind, name, purpose, dataset, model, task, training, "
                "rounds, aggregation, serverOptimizer, pacing, updates, evaluation");
}

TEST(YamlPlacesTest, KnowsWhereFieldsWereWritten) {
  config::v1::CoordinatorConfig config;
  YamlPlaces places;
  ASSERT_THAT(YamlToProto("listen: a:1\nmembers:\n- id: x\n  jurisdiction: FR\n", "c.yaml", &config,
                          &places),
              IsOk());

  EXPECT_EQ(places.Find("listen").column, 9);
  EXPECT_EQ(places.Find("members[0].jurisdiction").line, 4);
  EXPECT_EQ(places.Find("members[0].jurisdiction").column, 17);
  EXPECT_EQ(places.Find("members[0].authority").line, 3);
  EXPECT_EQ(places.Find("members").line, 2);
  EXPECT_EQ(places.Find("reflection").line, 1);
  EXPECT_TRUE(places.Contains("members[0].id"));
  EXPECT_FALSE(places.Contains("members[1]"));
}

}  // namespace
}  // namespace entente
