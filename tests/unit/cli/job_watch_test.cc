// SPDX-License-Identifier: Apache-2.0
#include "cli/job_watch.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class JobWatchTest : public CoordinatorFixture {
 protected:
  void SetStreams(std::vector<std::vector<v1::Job>> streams) {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = std::move(streams);
  }
};

TEST_F(JobWatchTest, CompletedJobEndsWithZeroAndItsReason) {
  SetStreams({{RunningJob(0), EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")}});

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("completed after 3 min 20 s, 12 rounds: every round was committed"));
}

TEST_F(JobWatchTest, FailedOrCancelledJobEndsWithSeven) {
  SetStreams({{EndedJob(v1::JOB_STATE_FAILED, "quorum lost")}});
  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kJobNotCompleted);

  SetStreams({{EndedJob(v1::JOB_STATE_CANCELLED, "enough")}});
  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kJobNotCompleted);
  EXPECT_THAT(out(), HasSubstr("cancelled"));
}

TEST_F(JobWatchTest, BrokenStreamIsTakenUpAgain) {
  SetStreams({{RunningJob(0)}, {}, {RunningJob(1), EndedJob(v1::JOB_STATE_COMPLETED, "")}});

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("the coordinator stops"), HasSubstr("trying again"),
                           HasSubstr("completed")));
}

TEST_F(JobWatchTest, CoordinatorThatHangsUpOnOurCertificateOnceIsAskedAgain) {
  SetStreams({{RunningJob(0)}, {v1::Job()}, {EndedJob(v1::JOB_STATE_COMPLETED, "")}});

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kOk);
}

TEST_F(JobWatchTest, CoordinatorThatKeepsHangingUpOnOurCertificateEndsTheWatch) {
  SetStreams({{RunningJob(0)}, {v1::Job()}});

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kRefused);
}

// Jitter at its least, so that a test may say how long the waits are.
class ZeroRandomSource final : public RandomSource {
 public:
  uint64_t Next() override { return 0; }
};

TEST_F(JobWatchTest, CoordinatorThatIsBackIsFoundWithinSeconds) {
  ZeroRandomSource random;
  random_source_ = &random;
  SetStreams({{RunningJob(0)}, {}, {}, {}, {}, {}, {EndedJob(v1::JOB_STATE_COMPLETED, "")}});
  const absl::Time began = clock_.Now();

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kOk);

  EXPECT_LT(clock_.Now() - began, absl::Seconds(6));
}

TEST_F(JobWatchTest, RoundsCommittedBeforeTheWatchAreFetched) {
  {
    absl::MutexLock lock(&state().mu);
    state().rounds = {CommittedRound(0, 0.9, 0.5), CommittedRound(1, 0.6, 0.7)};
  }
  SetStreams({{EndedJob(v1::JOB_STATE_COMPLETED, "")}});

  RunThere({"job", "watch", "x"});

  EXPECT_THAT(out(), AllOf(HasSubstr("round 1/12 committed: loss 0.9, accuracy 50.0 %"),
                           HasSubstr("round 2/12 committed: loss 0.6, accuracy 70.0 %")));
}

TEST_F(JobWatchTest, UnknownJobIsNotFound) {
  EXPECT_EQ(RunThere({"job", "watch", "nobody"}), ExitCode::kNotFound);

  EXPECT_EQ(error(), "entente: there is no job nobody\n");
}

TEST_F(JobWatchTest, CoordinatorThatWasNeverThereIsAnError) {
  coordinator_.Stop();

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kUnreachable);
}

TEST_F(JobWatchTest, InterruptionEndsTheWatch) {
  SetStreams({{RunningJob(0)}});
  interruption_.Trigger();

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kInterrupted);
}

TEST_F(JobWatchTest, TerminalGetsThePictureAndItsCursorBack) {
  FakeTerminal terminal;
  terminal_ = &terminal;
  SetStreams({{EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")}});

  EXPECT_EQ(RunThere({"job", "watch", "x", "--no-color"}), ExitCode::kOk);

  EXPECT_THAT(terminal.written,
              AllOf(StartsWith("\x1b[?25l"), HasSubstr("round 12/12"),
                    HasSubstr("every round was committed"), EndsWith("\x1b[?25h")));
  EXPECT_EQ(out(), "");
}

TEST_F(JobWatchTest, InterruptedPictureGivesTheCursorBack) {
  FakeTerminal terminal;
  terminal_ = &terminal;
  SetStreams({{RunningJob(0)}});
  interruption_.Trigger();

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kInterrupted);

  EXPECT_THAT(terminal.written, EndsWith("\x1b[?25h"));
}

TEST_F(JobWatchTest, PlainIsLinesOnATerminalToo) {
  FakeTerminal terminal;
  terminal_ = &terminal;
  open_screen_ = []() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return absl::InternalError("nobody wants a screen");
  };
  SetStreams({{EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")}});

  EXPECT_EQ(RunThere({"job", "watch", "x", "--plain"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("completed after 3 min 20 s"));
  EXPECT_EQ(terminal.written, "");
}

TEST_F(JobWatchTest, TerminalThatShowsLinesOnlyGetsLines) {
  FakeTerminal terminal;
  terminal_ = &terminal;
  environment_.line_terminal = true;
  open_screen_ = []() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return absl::InternalError("nobody wants a screen");
  };
  SetStreams({{EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")}});

  EXPECT_EQ(RunThere({"job", "watch", "x"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("completed after 3 min 20 s"));
  EXPECT_EQ(terminal.written, "");
}

TEST_F(JobWatchTest, JsonIsOneJobALine) {
  SetStreams({{EndedJob(v1::JOB_STATE_COMPLETED, "")}});

  EXPECT_EQ(RunThere({"job", "watch", "x", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["state"], "completed");
}

}  // namespace
}  // namespace entente::cli
