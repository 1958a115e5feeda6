// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_loop.h"

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"
#include "tests/unit/cli/top/fake_screen.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TopLoopTest : public CoordinatorFixture {
 protected:
  TopLoopTest() {
    SetJobs({RunningJob(0)});
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{RunningJob(0)}};
    terminal_ = &fake_terminal_;
  }

  // `entente job watch` with this reader in front of the screen.
  ExitCode Watch(const FakeScreen::Reader& reader) {
    open_screen_ = [reader]() -> absl::StatusOr<std::unique_ptr<Screen>> {
      return std::make_unique<FakeScreen>(reader);
    };
    return RunThere({"job", "watch", "fashion-mnist-k3x9qa", "--no-color"});
  }

  FakeTerminal fake_terminal_;
};

// Presses `key` once the frame shows `text`.
FakeScreen::Reader When(const std::string& text, Key key) {
  return [text, key](const std::string& frame) {
    return absl::StrContains(frame, text) ? key : Key::kNone;
  };
}

TEST_F(TopLoopTest, WatchedJobThatCompletesEndsTheViewAndLeavesTheLastPicture) {
  {
    absl::MutexLock lock(&state().mu);
    state().jobs = {EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")};
    state().watch_streams = {{RunningJob(0), state().jobs[0]}};
  }

  EXPECT_EQ(Watch(When("never", Key::kQuit)), ExitCode::kOk);

  EXPECT_THAT(fake_terminal_.written,
              AllOf(HasSubstr("round 12/12"), HasSubstr("every round was committed")));
}

TEST_F(TopLoopTest, WatchedJobThatFailsEndsWithSeven) {
  SetJobs({EndedJob(v1::JOB_STATE_FAILED, "quorum lost")});

  EXPECT_EQ(Watch(When("never", Key::kQuit)), ExitCode::kJobNotCompleted);
}

TEST_F(TopLoopTest, QuitStopsWatchingAndSaysThatTheJobGoesOn) {
  EXPECT_EQ(Watch(When("round 1/12", Key::kQuit)), ExitCode::kInterrupted);

  EXPECT_THAT(error(), HasSubstr("stopped watching; the job goes on"));
}

TEST_F(TopLoopTest, InterruptionEndsTheView) {
  EXPECT_EQ(Watch([this](const std::string&) {
              interruption_.Trigger();
              return Key::kNone;
            }),
            ExitCode::kInterrupted);
}

TEST_F(TopLoopTest, ClosedTerminalEndsTheView) {
  EXPECT_EQ(Watch(When("round", Key::kGone)), ExitCode::kInterrupted);
}

TEST_F(TopLoopTest, UnknownJobIsNotFoundBeforeTheScreenIsTaken) {
  bool taken = false;
  open_screen_ = [&taken]() -> absl::StatusOr<std::unique_ptr<Screen>> {
    taken = true;
    return absl::InternalError("no");
  };

  EXPECT_EQ(RunThere({"job", "watch", "nobody"}), ExitCode::kNotFound);

  EXPECT_FALSE(taken);
}

TEST_F(TopLoopTest, KeysLeadThroughThePages) {
  {
    absl::MutexLock lock(&state().mu);
    AddParticipant(&state().jobs[0], "FR", "fr-lab/gpu-1", v1::PARTICIPANT_STATE_WORKING);
    state().watch_streams = {{state().jobs[0]}};
  }
  int page = 0;
  open_screen_ = [&page]() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return std::make_unique<FakeScreen>([&page](const std::string& frame) {
      const auto shows = [&frame](const char* text) { return absl::StrContains(frame, text); };
      if (page == 0 && shows("1 running, 1 in all")) return ++page, Key::kHelp;
      if (page == 1 && shows("page up, page down")) return ++page, Key::kBack;
      if (page == 2 && shows("FEDERATION")) return ++page, Key::kEnter;
      if (page == 3 && shows("fr-lab/gpu-1  working")) return ++page, Key::kBack;
      if (page == 4 && shows("FEDERATION")) return ++page, Key::kQuit;
      return Key::kNone;
    });
  };

  EXPECT_EQ(RunThere({"top", "--no-color"}), ExitCode::kOk) << error();

  EXPECT_EQ(page, 5);
}

}  // namespace
}  // namespace entente::cli
