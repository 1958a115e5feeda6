// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class JobResumeTest : public CoordinatorFixture {};

TEST_F(JobResumeTest, PausedJobRunsAgain) {
  v1::Job job = RunningJob(2);
  job.set_state(v1::JOB_STATE_PAUSED);
  SetJobs({job});

  EXPECT_EQ(RunThere({"job", "resume", "fashion-mnist-k3x9qa"}), ExitCode::kOk);

  EXPECT_EQ(out(), "job fashion-mnist-k3x9qa running, round 3/12\n");
}

TEST_F(JobResumeTest, JobThatRunsIsSaidToBeLeftAsItIs) {
  SetJobs({RunningJob(2)});

  EXPECT_EQ(RunThere({"job", "resume", "fashion-mnist-k3x9qa"}), ExitCode::kOk);

  EXPECT_EQ(out(),
            "job fashion-mnist-k3x9qa was not paused, nothing is changed: running, round 3/12\n");
}

TEST_F(JobResumeTest, EndedJobIsTheWrongState) {
  SetJobs({EndedJob(v1::JOB_STATE_FAILED, "")});

  EXPECT_EQ(RunThere({"job", "resume", "fashion-mnist-k3x9qa"}), ExitCode::kWrongState);

  EXPECT_THAT(error(), HasSubstr("has ended already"));
}

TEST_F(JobResumeTest, ReasonOverItsLimitIsRefused) {
  EXPECT_EQ(RunThere({"job", "resume", "x", "--reason", std::string(501, 'r')}),
            ExitCode::kBadInput);
}

}  // namespace
}  // namespace entente::cli
