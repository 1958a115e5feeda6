// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class JobCancelTest : public CoordinatorFixture {};

TEST_F(JobCancelTest, CancelsWithAReason) {
  SetJobs({RunningJob(2)});

  EXPECT_EQ(RunThere({"job", "cancel", "fashion-mnist-k3x9qa", "--reason", "wrong data"}),
            ExitCode::kOk);

  EXPECT_EQ(out(), "job fashion-mnist-k3x9qa cancelled after 2 rounds\n");
}

TEST_F(JobCancelTest, EndedJobIsTheWrongState) {
  SetJobs({EndedJob(v1::JOB_STATE_COMPLETED, "")});

  EXPECT_EQ(RunThere({"job", "cancel", "fashion-mnist-k3x9qa"}), ExitCode::kWrongState);

  EXPECT_THAT(error(), HasSubstr("has ended already"));
}

TEST_F(JobCancelTest, ReasonOverItsLimitIsRefused) {
  EXPECT_EQ(RunThere({"job", "cancel", "x", "--reason", std::string(501, 'r')}),
            ExitCode::kBadInput);
}

}  // namespace
}  // namespace entente::cli
