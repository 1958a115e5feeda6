// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class JobPauseTest : public CoordinatorFixture {};

// A job that somebody has paused, with a round that is not over.
v1::Job PausedJob(v1::RoundPhase phase) {
  v1::Job job = RunningJob(2);
  job.set_state(v1::JOB_STATE_PAUSED);
  job.set_reason("paused by s: the power is cut");
  job.mutable_round()->set_phase(phase);
  return job;
}

TEST_F(JobPauseTest, SaysWhatIsFinishedFirst) {
  v1::Job job = RunningJob(2);
  job.mutable_round()->set_phase(v1::ROUND_PHASE_COLLECTING);
  SetJobs({job});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--reason", "the power is cut"}),
            ExitCode::kOk);

  EXPECT_EQ(out(), "job fashion-mnist-k3x9qa the power is cut; round 3 is finished first\n");
}

TEST_F(JobPauseTest, SaysWhatWaitsWhenNoRoundIsOpen) {
  v1::Job job = RunningJob(2);
  job.mutable_round()->set_phase(v1::ROUND_PHASE_PLANNED);
  SetJobs({job});

  for (const bool now : {false, true}) {
    std::vector<std::string> words = {"job", "pause", "fashion-mnist-k3x9qa"};
    if (now) words.emplace_back("--now");
    EXPECT_EQ(RunThere(words), ExitCode::kOk);
    EXPECT_EQ(out(), "job fashion-mnist-k3x9qa paused; round 3 opens once it is resumed\n");
  }
}

TEST_F(JobPauseTest, NowBreaksOffTheRound) {
  SetJobs({RunningJob(2)});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--now", "-o", "json"}),
            ExitCode::kOk);

  EXPECT_EQ(OutJson()["state"], "paused");
  EXPECT_EQ(OutJson()["round"]["phase"], "planned");
}

TEST_F(JobPauseTest, NowSaysWhyARoundIsFinishedAllTheSame) {
  v1::Job job = RunningJob(2);
  job.mutable_round()->set_phase(v1::ROUND_PHASE_AGGREGATING);
  SetJobs({job});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--now"}), ExitCode::kOk);

  EXPECT_EQ(out(),
            "job fashion-mnist-k3x9qa paused; round 3 no longer collects updates and is finished "
            "first\n");
}

TEST_F(JobPauseTest, PausedAlreadySaysByWhomAndThatTheNewReasonIsNotTaken) {
  SetJobs({PausedJob(v1::ROUND_PHASE_COLLECTING)});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--reason", "a holiday"}),
            ExitCode::kOk);

  EXPECT_EQ(out(),
            "job fashion-mnist-k3x9qa was already paused by s: the power is cut; round 3 is "
            "finished first\n"
            "the reason given now is not recorded: the pause of before stands\n");
}

TEST_F(JobPauseTest, NowForAPausedJobSaysSoWhereThereIsNothingToBreakOff) {
  SetJobs({PausedJob(v1::ROUND_PHASE_PLANNED)});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--now"}), ExitCode::kOk);

  EXPECT_EQ(out(),
            "job fashion-mnist-k3x9qa was already paused by s: the power is cut; round 3 opens "
            "once it is resumed\n");
}

// The words are the same as before, but the pause is another.
TEST_F(JobPauseTest, NowThatBreaksOffTheRoundOfAPausedJobIsTaken) {
  SetJobs({PausedJob(v1::ROUND_PHASE_GRACE)});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa", "--now", "--reason",
                      "paused by s: the power is cut"}),
            ExitCode::kOk);

  EXPECT_EQ(out(),
            "job fashion-mnist-k3x9qa paused by s: the power is cut; round 3 opens once it is "
            "resumed\n");
}

TEST_F(JobPauseTest, EndedJobIsTheWrongState) {
  SetJobs({EndedJob(v1::JOB_STATE_COMPLETED, "")});

  EXPECT_EQ(RunThere({"job", "pause", "fashion-mnist-k3x9qa"}), ExitCode::kWrongState);

  EXPECT_THAT(error(), HasSubstr("has ended already"));
}

TEST_F(JobPauseTest, ReasonOverItsLimitIsRefused) {
  EXPECT_EQ(RunThere({"job", "pause", "x", "--reason", std::string(501, 'r')}),
            ExitCode::kBadInput);
}

}  // namespace
}  // namespace entente::cli
