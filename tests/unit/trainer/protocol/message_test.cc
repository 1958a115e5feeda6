// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/message.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

nlohmann::json Prepare() {
  return {{"type", "prepare"},        {"protocol", 1},
          {"recipe", SampleRecipe()}, {"dataset", {{"format", "idx"}, {"directory", "/data"}}},
          {"device", "cpu"},          {"threads", 2}};
}

nlohmann::json Train() {
  return {{"type", "train"}, {"task", "t1"},        {"base_model", "/m"},
          {"output", "/u"},  {"seed", uint64_t{5}}, {"deadline_seconds", 1.5}};
}

TEST(MessageTest, PrepareIsParsed) {
  ASSERT_OK_AND_ASSIGN(const Request request, ParseRequest(Prepare()));

  const auto& prepare = std::get<PrepareRequest>(request);
  EXPECT_EQ(prepare.dataset.format, DatasetFormat::kIdx);
  EXPECT_EQ(prepare.dataset.directory, "/data");
  EXPECT_EQ(prepare.device, DeviceChoice::kCpu);
  EXPECT_EQ(prepare.threads, 2);
  EXPECT_EQ(prepare.recipe.training.batch_size, 8);
}

TEST(MessageTest, TrainIsParsed) {
  nlohmann::json message = Train();
  message["seed"] = UINT64_MAX;

  ASSERT_OK_AND_ASSIGN(const Request request, ParseRequest(message));

  const auto& train = std::get<TrainRequest>(request);
  EXPECT_EQ(train.task, "t1");
  EXPECT_EQ(train.base_model, "/m");
  EXPECT_EQ(train.output, "/u");
  EXPECT_EQ(train.seed, UINT64_MAX);
  EXPECT_EQ(train.deadline, absl::Milliseconds(1500));
}

TEST(MessageTest, CheckpointIsOptionalAndNeedsItsTime) {
  EXPECT_EQ(std::get<TrainRequest>(*ParseRequest(Train())).checkpoint, "");
  nlohmann::json message = Train();
  message["checkpoint"] = "/c";
  EXPECT_THAT(ParseRequest(message), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("train.checkpoint_seconds must be")));
  message["checkpoint_seconds"] = 0.5;

  ASSERT_OK_AND_ASSIGN(const Request request, ParseRequest(message));

  EXPECT_EQ(std::get<TrainRequest>(request).checkpoint, "/c");
  EXPECT_EQ(std::get<TrainRequest>(request).checkpoint_every, absl::Milliseconds(500));
}

TEST(MessageTest, EvaluateAndStopAreParsed) {
  const auto evaluate = ParseRequest({{"type", "evaluate"}, {"task", "t"}, {"model", "/m"}});

  ASSERT_THAT(evaluate, IsOk());
  EXPECT_EQ(std::get<EvaluateRequest>(*evaluate).model, "/m");
  EXPECT_TRUE(std::holds_alternative<StopRequest>(*ParseRequest({{"type", "stop"}})));
}

TEST(MessageTest, AnotherProtocolVersionIsRefused) {
  nlohmann::json message = Prepare();
  message["protocol"] = 2;

  EXPECT_THAT(ParseRequest(message),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the worker speaks trainer protocol 2 and this trainer 1")));
}

TEST(MessageTest, MissingAndMistypedFieldsAreNamed) {
  const auto refused = [](nlohmann::json message, const char* field, const nlohmann::json& value,
                          const char* why) {
    message[field] = value;
    EXPECT_THAT(ParseRequest(message),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };

  refused(Train(), "task", nullptr, "train.task must be a text");
  refused(Train(), "output", 1, "train.output must be a text");
  refused(Train(), "seed", -1, "train.seed must be a whole number");
  refused(Train(), "deadline_seconds", 0, "train.deadline_seconds must be");
  refused(Prepare(), "threads", 0, "prepare.threads must be a whole number from 1");
  refused(Prepare(), "recipe", "x", "prepare.recipe must be an object");
  refused(Prepare(), "recipe", nlohmann::json::object(), "recipe: model must have");
  refused(Prepare(), "dataset", {{"format", "idx"}}, "prepare.dataset.directory must be a text");
  refused(Prepare(), "device", "tpu", "use auto, cpu or cuda");
  refused(Prepare(), "recipe", SampleTorchScriptRecipe(), "prepare.program must be a text");
  refused(Train(), "type", "trian", "message type \"trian\" is unknown");
}

TEST(MessageTest, LinesThatAreNoMessagesAreRefused) {
  for (const char* const line :
       {"", "hello", "[1]", "{\"type\": 1}", "{}", "{\"type\": \"stop\""}) {
    EXPECT_THAT(ParseLine(line), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("the trainer protocol is broken")))
        << line;
  }
  const std::string deep =
      "{\"type\":\"stop\",\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_THAT(ParseLine(deep), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(MessageTest, TheTaskIsFoundEvenInABadMessage) {
  EXPECT_EQ(TaskOf({{"type", "train"}, {"task", "t1"}}), "t1");
  EXPECT_EQ(TaskOf({{"type", "train"}, {"task", 1}}), "");
  EXPECT_EQ(TaskOf({{"type", "prepare"}}), "");
}

}  // namespace
}  // namespace entente::trainer
