// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/status_matchers.h"

namespace entente::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TrainerMessagesTest, WritesWhatTheProtocolSays) {
  EXPECT_EQ(
      ToLine(PrepareMessage{.recipe = {{"name", "r"}},
                            .dataset_format = "idx",
                            .dataset_folder = "/entente/data",
                            .program = "",
                            .device = "auto",
                            .threads = 2}),
      R"({"type":"prepare","protocol":1,"recipe":{"name":"r"},)"
      R"("dataset":{"format":"idx","directory":"/entente/data"},"device":"auto","threads":2})");
  EXPECT_EQ(ToLine(TrainMessage{.task = "t",
                                .base_model = "/m",
                                .output = "/o",
                                .seed = 18446744073709551615u,
                                .deadline = absl::Seconds(90)}),
            R"({"type":"train","task":"t","base_model":"/m","output":"/o",)"
            R"("seed":18446744073709551615,"deadline_seconds":90.0})");
  EXPECT_EQ(ToLine(TrainMessage{.task = "t",
                                .base_model = "/m",
                                .output = "/o",
                                .seed = 1,
                                .deadline = absl::Seconds(90),
                                .checkpoint = "/c",
                                .checkpoint_every = absl::Milliseconds(1500)}),
            R"({"type":"train","task":"t","base_model":"/m","output":"/o","seed":1,)"
            R"("deadline_seconds":90.0,"checkpoint":"/c","checkpoint_seconds":1.5})");
  EXPECT_EQ(ToLine(EvaluateMessage{.task = "t", .model = "/m"}),
            R"({"type":"evaluate","task":"t","model":"/m"})");
  EXPECT_EQ(StopLine(), R"({"type":"stop"})");
}

TEST(TrainerMessagesTest, NamesTheProgramOfATorchScriptModel) {
  EXPECT_THAT(ToLine(PrepareMessage{.recipe = nlohmann::ordered_json::object(),
                                    .dataset_format = "csv",
                                    .dataset_folder = "/d",
                                    .program = "/p",
                                    .device = "cpu"}),
              HasSubstr(R"("program":"/p")"));
}

TEST(TrainerMessagesTest, ReadsEveryMessage) {
  ASSERT_OK_AND_ASSIGN(const TrainerMessage hello,
                       ParseTrainerMessage(R"({"type":"hello","protocol":1,"trainer":"x 1"})"));
  EXPECT_EQ(std::get<TrainerHello>(hello).trainer, "x 1");
  ASSERT_OK_AND_ASSIGN(
      const TrainerMessage prepared,
      ParseTrainerMessage(
          R"({"type":"prepared","examples":7,"held_out_examples":3,"device":"cpu"})"));
  EXPECT_EQ(std::get<TrainerPrepared>(prepared).held_out_examples, 3);
  ASSERT_OK_AND_ASSIGN(
      const TrainerMessage progress,
      ParseTrainerMessage(R"({"type":"progress","task":"t","step":1,"step_count":9,"loss":0.5})"));
  EXPECT_EQ(std::get<TrainerProgress>(progress).step_count, 9);
  ASSERT_OK_AND_ASSIGN(
      const TrainerMessage update,
      ParseTrainerMessage(R"({"type":"update","task":"t","output":"/o","examples":4,)"
                          R"("training_loss":1.5,"steps":2,"seconds":0.1})"));
  EXPECT_EQ(std::get<TrainerUpdate>(update).training_loss, 1.5);
  ASSERT_OK_AND_ASSIGN(
      const TrainerMessage evaluated,
      ParseTrainerMessage(
          R"({"type":"evaluated","task":"t","examples":4,"loss":1,"accuracy":0.25})"));
  EXPECT_EQ(std::get<TrainerEvaluated>(evaluated).accuracy, 0.25);
  ASSERT_OK_AND_ASSIGN(const TrainerMessage error,
                       ParseTrainerMessage(R"({"type":"error","message":"no data"})"));
  EXPECT_EQ(std::get<TrainerError>(error).message, "no data");
}

TEST(TrainerMessagesTest, AnotherProtocolIsRefusedWithBothNumbers) {
  TrainerHello hello;
  hello.protocol = kTrainerProtocol;
  EXPECT_THAT(CheckTrainerProtocol(hello), IsOk());

  hello.protocol = 9;
  EXPECT_THAT(CheckTrainerProtocol(hello),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("speaks protocol 9, this worker 1; install matching versions")));
}

TEST(TrainerMessagesTest, ALossOfNullIsNotANumber) {
  ASSERT_OK_AND_ASSIGN(
      const TrainerMessage message,
      ParseTrainerMessage(R"({"type":"evaluated","task":"t","examples":4,"loss":null})"));

  EXPECT_TRUE(std::isnan(std::get<TrainerEvaluated>(message).loss));
  EXPECT_FALSE(std::get<TrainerEvaluated>(message).accuracy.has_value());
}

struct GarbageCase {
  const char* line;
  const char* fault;
};

class TrainerGarbageTest : public testing::TestWithParam<GarbageCase> {};

TEST_P(TrainerGarbageTest, IsRefusedWithTheLineAndTheFault) {
  EXPECT_THAT(ParseTrainerMessage(GetParam().line),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("the trainer wrote a line that is not a message of the "
                                       "trainer protocol: "),
                             HasSubstr(GetParam().fault))));
}

INSTANTIATE_TEST_SUITE_P(
    Garbage, TrainerGarbageTest,
    testing::Values(
        GarbageCase{"Loading data...", "Loading data... (not JSON)"}, GarbageCase{"", "not JSON"},
        GarbageCase{"[1]", "not an object"}, GarbageCase{R"({"step":1})", "\"type\" is missing"},
        GarbageCase{R"({"type":7})", "\"type\" must be a text"},
        GarbageCase{R"({"type":"dance"})", "unknown type \"dance\""},
        GarbageCase{R"({"type":"prepared","examples":-1,"held_out_examples":0})",
                    "\"examples\" must be a whole number of at least 0"},
        GarbageCase{R"({"type":"prepared","examples":1.5,"held_out_examples":0})",
                    "\"examples\" must be a whole number"},
        GarbageCase{R"({"type":"evaluated","task":"t","examples":1,"loss":"low"})",
                    "\"loss\" must be a number"},
        GarbageCase{R"({"type":"update","task":"t","examples":1,"training_loss":1,"steps":1})",
                    "\"output\" is missing"},
        GarbageCase{R"({"type":"evaluated","task":"t","examples":1,"loss":NaN})", "not JSON"}));

TEST(TrainerMessagesTest, ALongLineIsCutInTheMessage) {
  const absl::Status status = ParseTrainerMessage(std::string(5000, '\x01')).status();

  EXPECT_LT(status.message().size(), 1000);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("\x01")));
}

TEST(TrainerMessagesTest, ALineIsShownAsItIsButForItsControlCharacters) {
  const absl::Status status = ParseTrainerMessage("f\xc3\xbcr \"a\\b\"\t1").status();

  EXPECT_THAT(std::string(status.message()), HasSubstr(": f\xc3\xbcr \"a\\b\"\\t1 (not JSON)"));
}

TEST(TrainerMessagesTest, ALineThatIsNotTextIsShownAllTheSame) {
  const absl::Status status = ParseTrainerMessage(std::string(200, '\x80')).status();

  EXPECT_THAT(std::string(status.message()), HasSubstr(": \xef\xbf\xbd\xef\xbf\xbd"));
}

}  // namespace
}  // namespace entente::worker
