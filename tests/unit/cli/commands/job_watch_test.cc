// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class JobWatchCommandTest : public CoordinatorFixture {};

TEST_F(JobWatchCommandTest, FollowsTheJobItNames) {
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{EndedJob(v1::JOB_STATE_COMPLETED, "done")}};
  }

  EXPECT_EQ(RunThere({"job", "watch", "fashion-mnist-k3x9qa"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("fashion-mnist-k3x9qa completed"));
}

TEST_F(JobWatchCommandTest, NeedsAJob) {
  EXPECT_EQ(RunThere({"job", "watch"}), ExitCode::kBadInput);
}

}  // namespace
}  // namespace entente::cli
