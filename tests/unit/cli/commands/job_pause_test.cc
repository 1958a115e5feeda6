// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class JobPauseTest : public CoordinatorFixture {};

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
