// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/protocol_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/tensor/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "trainer/training/local_runs.h"
#include "trainer/training/torch_session.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Answers at once, or with the error it is told to.
class FakeSession final : public TrainingSession {
 public:
  absl::Status train_error;

  absl::StatusOr<PreparedResult> Prepare(const PrepareRequest&) override {
    return PreparedResult{.examples = 90, .held_out_examples = 10, .device = "cpu"};
  }
  absl::StatusOr<UpdateResult> Train(const TrainRequest& request, ProgressSink&) override {
    if (!train_error.ok()) return train_error;
    return UpdateResult{
        .output = request.output, .examples = 90, .training_loss = 0.5, .steps = 12, .seconds = 2};
  }
  absl::StatusOr<EvaluationResult> Evaluate(const EvaluateRequest&, ProgressSink&) override {
    return EvaluationResult{.examples = 10, .loss = 0.25, .accuracy = 0.9};
  }
};

struct Conversation {
  absl::Status status;
  std::vector<std::string> lines;

  // The type of each line, "progress" left out: how often that comes depends on the machine.
  std::vector<std::string> Types() const {
    std::vector<std::string> types;
    for (const std::string& line : lines) {
      const std::string type = nlohmann::json::parse(line)["type"].get<std::string>();
      if (type != "progress") types.push_back(type);
    }
    return types;
  }
  nlohmann::json Last() const { return nlohmann::json::parse(lines.back()); }
};

Conversation Speak(TrainingSession& session, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  Conversation conversation;
  conversation.status =
      RunProtocol(in, out, session, {.trainer = "entente-trainer 0.1.0", .libtorch = "1.13.1"});
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) conversation.lines.push_back(line);
  return conversation;
}

std::string PrepareLine(const nlohmann::json& recipe, const std::string& directory,
                        const std::string& format = "idx", const std::string& program = "") {
  nlohmann::json message = {
      {"type", "prepare"}, {"protocol", 1},
      {"recipe", recipe},  {"dataset", {{"format", format}, {"directory", directory}}},
      {"device", "cpu"},   {"threads", 1}};
  if (!program.empty()) message["program"] = program;
  return message.dump() + "\n";
}

std::string TrainLine(const std::string& base, const std::string& output,
                      double deadline_seconds = 600) {
  return nlohmann::json{{"type", "train"},    {"task", "job/1"},
                        {"base_model", base}, {"output", output},
                        {"seed", 123},        {"deadline_seconds", deadline_seconds}}
             .dump() +
         "\n";
}

std::string EvaluateLine(const std::string& model) {
  return nlohmann::json{{"type", "evaluate"}, {"task", "job/1/e"}, {"model", model}}.dump() + "\n";
}

constexpr char kStop[] = "{\"type\":\"stop\"}\n";

TEST(ProtocolLoopTest, TheTranscriptIsAsDocumented) {
  FakeSession session;

  const Conversation conversation =
      Speak(session, PrepareLine(SampleRecipe(), "/data") + TrainLine("/base", "/update") +
                         EvaluateLine("/m") + kStop);

  EXPECT_THAT(conversation.status, IsOk());
  EXPECT_THAT(
      conversation.lines,
      ElementsAre(
          R"({"type":"hello","protocol":1,"trainer":"entente-trainer 0.1.0","libtorch":"1.13.1"})",
          R"({"type":"prepared","examples":90,"held_out_examples":10,"device":"cpu"})",
          R"({"type":"update","task":"job/1","output":"/update","examples":90,"training_loss":0.5,"steps":12,"seconds":2.0})",
          R"({"type":"evaluated","task":"job/1/e","examples":10,"loss":0.25,"accuracy":0.9})"));
}

TEST(ProtocolLoopTest, TheEndOfTheInputIsAStop) {
  FakeSession session;

  EXPECT_THAT(Speak(session, "").status, IsOk());
  EXPECT_THAT(Speak(session, PrepareLine(SampleRecipe(), "/data")).Types(),
              ElementsAre("hello", "prepared"));
}

TEST(ProtocolLoopTest, AFailedTaskIsToldAndTheLoopGoesOn) {
  FakeSession session;
  session.train_error = absl::InvalidArgumentError("the loss became not finite at step 12");

  const Conversation conversation =
      Speak(session, TrainLine("/b", "/u") + EvaluateLine("/m") + kStop);

  EXPECT_THAT(conversation.status, IsOk());
  EXPECT_EQ(conversation.lines[1],
            R"({"type":"error","task":"job/1","message":"the loss became not finite at step 12"})");
  EXPECT_THAT(conversation.Types(), ElementsAre("hello", "error", "evaluated"));
}

TEST(ProtocolLoopTest, ABadRequestIsToldAndTheLoopGoesOn) {
  FakeSession session;

  const Conversation conversation = Speak(
      session, "{\"type\":\"train\",\"task\":\"t\"}\n{\"type\":\"dance\"}\n" + EvaluateLine("/m"));

  EXPECT_THAT(conversation.status, IsOk());
  EXPECT_EQ(conversation.lines[1],
            R"({"type":"error","task":"t","message":"train.base_model must be a text"})");
  EXPECT_THAT(conversation.lines[2], HasSubstr("\\\"dance\\\" is unknown"));
  EXPECT_THAT(conversation.Types(), ElementsAre("hello", "error", "error", "evaluated"));
}

TEST(ProtocolLoopTest, ALineThatIsNoMessageEndsTheConversation) {
  FakeSession session;

  const Conversation conversation = Speak(session, "garbage\n" + EvaluateLine("/m"));

  EXPECT_THAT(conversation.status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(conversation.lines, SizeIs(2));
  EXPECT_THAT(conversation.lines[1], HasSubstr("the trainer protocol is broken"));
}

TEST(ProtocolLoopTest, ALineWithoutEndIsNotKeptForEver) {
  FakeSession session;

  const Conversation conversation =
      Speak(session, std::string(limits::kTrainerLineBytesMax + 10, 'x'));

  EXPECT_THAT(conversation.status,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("longer than")));
}

// The same loop with LibTorch behind it.
class TrainerConversationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    data_ = WriteSampleFolder(folder_, "data", 60);
    base_ = folder_.File("base.safetensors");
    ASSERT_THAT(InitializeModel(files_, {.recipe = Parsed(SampleRecipe())}, base_), IsOk());
  }

  static RecipeView Parsed(const nlohmann::json& recipe) {
    return *ParseRecipe(recipe.dump(), "recipe");
  }

  Conversation Converse(const std::string& input) {
    TorchSession session(files_, clock_);
    return Speak(session, input);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  const SystemClock clock_;
  std::string data_;
  std::string base_;
};

TEST_F(TrainerConversationTest, ARoundTrainsAndEvaluates) {
  const std::string update = folder_.File("update");

  const Conversation conversation = Converse(
      PrepareLine(SampleRecipe(), data_) + TrainLine(base_, update) + EvaluateLine(base_) + kStop);

  EXPECT_THAT(conversation.status, IsOk());
  ASSERT_THAT(conversation.Types(), ElementsAre("hello", "prepared", "update", "evaluated"));
  EXPECT_EQ(conversation.lines[1],
            R"({"type":"prepared","examples":60,"held_out_examples":30,"device":"cpu"})");
  EXPECT_EQ(conversation.Last()["examples"], 30);
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, update));
  ASSERT_OK_AND_ASSIGN(const auto base_reader, SafetensorsReader::Open(files_, base_));
  EXPECT_TRUE(reader->is_canonical());
  EXPECT_EQ(reader->layout(), base_reader->layout());
}

TEST_F(TrainerConversationTest, TheSameMessageGivesTheSameBytes) {
  const std::string prepare = PrepareLine(SampleRecipe(), data_);

  Converse(prepare + TrainLine(base_, folder_.File("u1")) + TrainLine(base_, folder_.File("u2")));
  Converse(prepare + TrainLine(base_, folder_.File("u3")));

  EXPECT_NE(FileText(folder_.File("u1")), "");
  EXPECT_EQ(FileText(folder_.File("u1")), FileText(folder_.File("u2")));
  EXPECT_EQ(FileText(folder_.File("u1")), FileText(folder_.File("u3")));
}

TEST_F(TrainerConversationTest, TrainingBeforePrepareIsRefused) {
  EXPECT_EQ(
      Converse(TrainLine(base_, folder_.File("u"))).lines[1],
      R"({"type":"error","task":"job/1","message":"nothing is prepared; send prepare first"})");
}

TEST_F(TrainerConversationTest, ALossThatIsNotFiniteIsToldWithItsStep) {
  nlohmann::json recipe = SampleRecipe();
  recipe["training"]["learningRate"] = 100;
  recipe["training"]["weightDecay"] = 1;  // Each step multiplies the weights by -99.
  recipe["training"]["epochs"] = 100;

  const Conversation conversation = Converse(
      PrepareLine(recipe, data_) + TrainLine(base_, folder_.File("u")) + EvaluateLine(base_));

  EXPECT_THAT(conversation.Types(), ElementsAre("hello", "prepared", "error", "evaluated"));
  EXPECT_FALSE(files_.Exists(folder_.File("u")));
}

TEST_F(TrainerConversationTest, ADeadlineThatPassedIsTold) {
  const Conversation conversation =
      Converse(PrepareLine(SampleRecipe(), data_) + TrainLine(base_, folder_.File("u"), 1e-9));

  EXPECT_THAT(conversation.Last()["message"].get<std::string>(),
              HasSubstr("deadline passed after"));
}

TEST_F(TrainerConversationTest, BadDataIsToldInOneSentence) {
  folder_.Write("empty/readme", "nothing here");

  const Conversation conversation = Converse(PrepareLine(SampleRecipe(), folder_.File("empty")));

  EXPECT_THAT(conversation.Last()["message"].get<std::string>(),
              HasSubstr("has no train-images-idx3-ubyte"));
}

}  // namespace
}  // namespace entente::trainer
