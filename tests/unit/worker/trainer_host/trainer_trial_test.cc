// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/trainer_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TrainerTrialTest : public testing::Test {
 protected:
  TrainerTrialTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::filesystem::create_directories(folder_.File("data"));
  }

  absl::StatusOr<TrainerHello> Try(const std::string& script,
                                   absl::Duration limit = absl::Seconds(30)) {
    SandboxSpec spec;
    spec.kind = SandboxKind::kNone;
    spec.command = {"/bin/bash", folder_.Write("trainer.sh", script), folder_.File("seen")};
    spec.data_folder = folder_.File("data");
    spec.models_folder = folder_.File("models");
    spec.work_folder = folder_.File("work");
    return TryTrainer(spec, limit);
  }

  TempFolder folder_;
};

TEST_F(TrainerTrialTest, GreetingIsHeardAndTheTrainerIsEnded) {
  ASSERT_OK_AND_ASSIGN(
      const TrainerHello hello,
      Try(R"sh(pwd > "$1"; echo '{"type":"hello","protocol":1,"trainer":"test 1"}'; read -r line)sh"));

  EXPECT_EQ(hello.trainer, "test 1");
  // Nothing of the worker's own folders was touched or made.
  EXPECT_FALSE(std::filesystem::exists(folder_.File("work")));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("models")));
}

TEST_F(TrainerTrialTest, TrainerThatEndsIsUnavailableWithItsLastWords) {
  EXPECT_THAT(Try("echo 'no libtorch here' >&2; exit 3"),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("status 3"), HasSubstr("no libtorch here"))));
}

TEST_F(TrainerTrialTest, SilentTrainerIsUnavailable) {
  EXPECT_THAT(Try("read -r line", absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("said nothing for 50ms")));
}

TEST_F(TrainerTrialTest, OtherProtocolsAreRefused) {
  EXPECT_THAT(Try("echo welcome; read -r line"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Try(R"(echo '{"type":"hello","protocol":9,"trainer":"t"}'; read -r line)"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("speaks protocol 9")));
}

TEST_F(TrainerTrialTest, MissingProgramIsUnavailable) {
  SandboxSpec spec;
  spec.kind = SandboxKind::kNone;
  spec.command = {folder_.File("nowhere")};

  EXPECT_THAT(TryTrainer(spec, absl::Seconds(30)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nowhere")));
}

}  // namespace
}  // namespace entente::worker
