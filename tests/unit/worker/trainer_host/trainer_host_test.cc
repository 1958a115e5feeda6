// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "common/base/file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHello = R"(echo '{"type":"hello","protocol":1,"trainer":"test 1"}')";

// A trainer that does as it is asked; `on_train` says what it does when asked to train.
std::string Script(const std::string& on_train) {
  return std::string(kHello) + R"sh(
field() { [[ "$line" =~ \"$1\":\"([^\"]*)\" ]] && echo "${BASH_REMATCH[1]}"; }
echo start >> "$1"
while read -r line; do
  task=$(field task)
  case "$(field type)" in
    prepare) echo '{"type":"prepared","examples":10,"held_out_examples":2,"device":"cpu"}';;
    evaluate) echo '{"type":"evaluated","task":"'$task'","examples":2,"loss":0.5,"accuracy":1}';;
    train) output=$(field output)
)sh" + on_train +
         R"sh(
      ;;
    stop) echo stop >> "$1"; exit 0;;
  esac
done
)sh";
}

constexpr const char* kTrain = R"(
echo '{"type":"progress","task":"'$task'","step":1,"step_count":2,"loss":0.7}'
echo update > "$output"
echo '{"type":"update","task":"'$task'","output":"'$output'","examples":10,"training_loss":0.6,"steps":2,"seconds":0.1}')";

class TrainerHostTest : public testing::Test {
 protected:
  TrainerHostTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::filesystem::create_directories(folder_.File("data"));
    std::filesystem::create_directories(folder_.File("models"));
  }

  std::unique_ptr<TrainerHost> Host(const std::string& script,
                                    absl::Duration silence_max = absl::Seconds(30)) {
    const std::string path = folder_.Write("trainer.sh", script);
    return std::make_unique<TrainerHost>(
        TrainerHostOptions{.sandbox = {.kind = SandboxKind::kNone,
                                       .bubblewrap = "",
                                       .command = {"/bin/bash", path, folder_.File("starts")},
                                       .data_folder = "",
                                       .models_folder = folder_.File("models"),
                                       .work_folder = folder_.File("work"),
                                       .read_only_paths = {},
                                       .devices = {}},
                           .device = "cpu",
                           .silence_max = silence_max});
  }

  PrepareRequest Request(const std::string& key = "a") {
    return {.key = key,
            .recipe = nlohmann::ordered_json::object(),
            .dataset_format = "idx",
            .dataset_folder = folder_.File("data"),
            .program = ""};
  }

  absl::StatusOr<TrainResult> Train(TrainerHost& host) {
    return host.Train(
        {.task = "t",
         .base_model = folder_.File("models/m"),
         .output_name = "out",
         .seed = 1,
         .deadline = absl::Seconds(60)},
        [this](const StepProgress& step) { steps_.push_back(step); }, cancel_);
  }

  size_t StartCount() {
    PosixFileSystem files;
    const auto said = ReadTextFile(files, folder_.File("starts"), 1000);
    EXPECT_THAT(said, IsOk());
    return static_cast<size_t>(std::count(said->begin(), said->end(), 'r'));  // Of "start".
  }

  TempFolder folder_;
  CancelToken cancel_;
  std::vector<StepProgress> steps_;
};

TEST_F(TrainerHostTest, PreparesTrainsAndEvaluates) {
  const auto host = Host(Script(kTrain));

  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());
  ASSERT_OK_AND_ASSIGN(const TrainResult result, Train(*host));
  EXPECT_EQ(result.output, folder_.File("work/out"));
  EXPECT_TRUE(std::filesystem::exists(result.output));
  EXPECT_EQ(result.training_loss, 0.6);
  ASSERT_EQ(steps_.size(), 1);
  EXPECT_EQ(steps_[0].step_count, 2);
  ASSERT_OK_AND_ASSIGN(
      const EvaluateResult evaluation,
      host->Evaluate(
          {.task = "e", .model = folder_.File("models/m")}, [](const auto&) {}, cancel_));
  EXPECT_EQ(evaluation.accuracy, 1);
}

TEST_F(TrainerHostTest, TheTrainerKnowsWhomItWorksFor) {
  const auto host = Host("echo \"$TRACEPARENT\" >> \"$1\"\n" + Script(kTrain));
  PrepareRequest request = Request();
  request.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  ASSERT_THAT(host->Prepare(request, cancel_), IsOk());

  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const std::string said, ReadTextFile(files, folder_.File("starts"), 1000));
  EXPECT_THAT(said, HasSubstr(request.traceparent));
}

TEST_F(TrainerHostTest, WhatTheTrainerSaysDoesNotTellWhereTheDataIs) {
  const auto host =
      Host(Script(R"(echo '{"type":"error","task":"'$task'","message":"cannot read )" +
                  folder_.File("data") + R"(/train.csv"}')"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host), StatusIs(absl::StatusCode::kFailedPrecondition,
                                     "the trainer says: cannot read /entente/data/train.csv"));
}

TEST_F(TrainerHostTest, StaysPreparedForTheSameRecipeAndData) {
  const auto host = Host(Script(kTrain));

  ASSERT_THAT(host->Prepare(Request("a"), cancel_), IsOk());
  ASSERT_THAT(host->Prepare(Request("a"), cancel_), IsOk());

  EXPECT_EQ(StartCount(), 1);
}

TEST_F(TrainerHostTest, AnotherRecipeGetsATrainerOfItsOwnAndAnEmptyFolder) {
  const auto host = Host(Script(kTrain));
  ASSERT_THAT(host->Prepare(Request("a"), cancel_), IsOk());
  ASSERT_OK_AND_ASSIGN(const TrainResult result, Train(*host));

  ASSERT_THAT(host->Prepare(Request("b"), cancel_), IsOk());

  EXPECT_EQ(StartCount(), 2);
  EXPECT_FALSE(std::filesystem::exists(result.output));
}

TEST_F(TrainerHostTest, AnIdleTrainerIsToldToStop) {
  const auto host = Host(Script(kTrain));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  host->Stop();

  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const std::string said, ReadTextFile(files, folder_.File("starts"), 100));
  EXPECT_EQ(said, "start\nstop\n");
}

TEST_F(TrainerHostTest, ACrashIsSaidWithItsSignal) {
  const auto host = Host(Script("echo 'out of luck' >&2; kill -SEGV $$"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host), StatusIs(absl::StatusCode::kUnavailable,
                                     "the trainer ended with signal 11 (Segmentation fault); what "
                                     "it said is in its worker's log"));
}

TEST_F(TrainerHostTest, StartsAgainAfterACrash) {
  const auto host = Host(Script("exit 3"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());
  ASSERT_THAT(Train(*host), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exit status 3")));
  EXPECT_THAT(Train(*host), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not running")));

  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_EQ(StartCount(), 2);
}

TEST_F(TrainerHostTest, AHungTrainerIsStopped) {
  // Long enough for the greeting.
  const auto host = Host(Script("exec sleep 600"), absl::Seconds(5));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host), StatusIs(absl::StatusCode::kUnavailable,
                                     "the trainer was silent for 5 s; it was stopped"));
}

TEST_F(TrainerHostTest, GarbageIsQuoted) {
  const auto host = Host(Script("echo 'Epoch 1/10'"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a line that is not a message of the trainer protocol: Epoch 1")));
}

TEST_F(TrainerHostTest, AnUpdateSomewhereElseIsRefused) {
  const auto host = Host(Script(
      R"(echo '{"type":"update","task":"'$task'","output":"/etc/passwd","examples":1,"training_loss":1,"steps":1}')"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another place")));
}

TEST_F(TrainerHostTest, AnAnswerAboutAnotherTaskIsRefused) {
  const auto host = Host(Script(
      R"(echo '{"type":"update","task":"other","output":"'$output'","examples":1,"training_loss":1,"steps":1}')"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another task")));
}

TEST_F(TrainerHostTest, WhatTheTrainerSaysItCannotDoReachesTheCaller) {
  const auto host =
      Host(Script(R"(echo '{"type":"error","task":"t","message":"the loss is NaN"}')"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  EXPECT_THAT(Train(*host),
              StatusIs(absl::StatusCode::kFailedPrecondition, "the trainer says: the loss is NaN"));
}

TEST_F(TrainerHostTest, CancellingKillsTheTrainer) {
  const auto host =
      Host(Script("echo '{\"type\":\"progress\",\"step\":1,\"step_count\":2}'; read -r"));
  ASSERT_THAT(host->Prepare(Request(), cancel_), IsOk());

  const auto trained = host->Train(
      {.task = "t", .base_model = "m", .output_name = "out", .deadline = absl::Hours(1)},
      [this](const StepProgress&) { cancel_.Cancel("the round closed"); }, cancel_);

  EXPECT_THAT(trained, StatusIs(absl::StatusCode::kCancelled, "the round closed"));
}

TEST_F(TrainerHostTest, AnotherProtocolIsRefused) {
  const auto host = Host(R"(echo '{"type":"hello","protocol":9,"trainer":"test"}'; read -r)");

  EXPECT_THAT(host->Prepare(Request(), cancel_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the trainer speaks protocol 9, this worker 1")));
}

TEST_F(TrainerHostTest, DataItCannotReadIsSaidInItsWords) {
  const auto host =
      Host(std::string(kHello) +
           "\nread -r\necho '{\"type\":\"error\",\"message\":\"the folder is empty\"}'"
           "\nread -r");

  EXPECT_THAT(host->Prepare(Request(), cancel_), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                          "the trainer says: the folder is empty"));
}

}  // namespace
}  // namespace entente::worker
