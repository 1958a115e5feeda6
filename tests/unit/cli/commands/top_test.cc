// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"
#include "tests/unit/cli/top/fake_screen.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TopTest : public CoordinatorFixture {
 protected:
  TopTest() {
    v1::Member member;
    member.set_id("fr-lab");
    member.set_jurisdiction("FR");
    v1::Worker* const worker = member.add_workers();
    worker->set_id("fr-lab/gpu-1");
    worker->set_connected(true);
    SetJobs({RunningJob(0)});
    absl::MutexLock lock(&state().mu);
    state().members = {member};
    state().watch_streams = {{RunningJob(0)}};
  }
};

TEST_F(TopTest, WithoutATerminalItIsRefusedWithTheWayOut) {
  EXPECT_EQ(RunThere({"top"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), AllOf(HasSubstr("wants a terminal"), HasSubstr("top --once")));
}

TEST_F(TopTest, TerminalThatCannotBeUsedIsNamed) {
  open_screen_ = []() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return absl::InvalidArgumentError("the terminal's type, TERM=\"dumb\", shows lines only");
  };

  EXPECT_EQ(RunThere({"top"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), AllOf(HasSubstr("shows lines only"), HasSubstr("top --once")));
}

TEST_F(TopTest, DrawingIsNotForPrograms) {
  EXPECT_EQ(RunThere({"top", "-o", "json"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("top --once"));
}

TEST_F(TopTest, OnceIsPrinted) {
  EXPECT_EQ(RunThere({"top", "--once"}), ExitCode::kOk) << error();

  EXPECT_THAT(out(), AllOf(HasSubstr("1 member, 1 of 1 worker connected"),
                           HasSubstr("FR  fr-lab/gpu-1  connected"),
                           HasSubstr("fashion-mnist-k3x9qa  running"), Not(HasSubstr("\x1b"))));
}

TEST_F(TopTest, OnceForPrograms) {
  EXPECT_EQ(RunThere({"top", "--once", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["members"][0]["id"], "fr-lab");
  EXPECT_EQ(OutJson()["jobs"][0]["id"], "fashion-mnist-k3x9qa");
}

TEST_F(TopTest, CoordinatorThatIsNotThereIsAnErrorBeforeTheScreenIsTaken) {
  coordinator_.Stop();
  bool taken = false;
  open_screen_ = [&taken]() -> absl::StatusOr<std::unique_ptr<Screen>> {
    taken = true;
    return absl::InternalError("no");
  };

  EXPECT_EQ(RunThere({"top"}), ExitCode::kUnreachable);

  EXPECT_FALSE(taken);
}

TEST_F(TopTest, InterruptionIsOneHundredAndThirty) {
  open_screen_ = [this]() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return std::make_unique<FakeScreen>([this](const std::string&) {
      interruption_.Trigger();
      return Key::kNone;
    });
  };

  EXPECT_EQ(RunThere({"top"}), ExitCode::kInterrupted);
}

}  // namespace
}  // namespace entente::cli
