// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JobListTest : public CoordinatorFixture {};

TEST_F(JobListTest, TableHasOneLineAJob) {
  SetJobs({RunningJob(2), EndedJob(v1::JOB_STATE_COMPLETED, "")});

  EXPECT_EQ(RunThere({"job", "list"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("JOB "), HasSubstr("fashion-mnist-k3x9qa  running    3/12"),
                           HasSubstr("fashion-mnist-k3x9qa  completed")));
}

TEST_F(JobListTest, NoJobsIsAnEmptyListAndNoError) {
  EXPECT_EQ(RunThere({"job", "list"}), ExitCode::kOk);
  EXPECT_EQ(out(), "no jobs\n");

  EXPECT_EQ(RunThere({"job", "list", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["jobs"].size(), 0u);
}

TEST_F(JobListTest, RefusalHasItsExitCode) {
  {
    absl::MutexLock lock(&state().mu);
    state().refuse_all = absl::PermissionDeniedError("workers may not");
  }

  EXPECT_EQ(RunThere({"job", "list"}), ExitCode::kRefused);

  EXPECT_EQ(error(), "entente: workers may not\n");
}

TEST_F(JobListTest, StoppedCoordinatorHasItsExitCode) {
  coordinator_.Stop();

  EXPECT_EQ(RunThere({"job", "list", "-o", "json"}), ExitCode::kUnreachable);

  const auto json = nlohmann::json::parse(error());
  EXPECT_EQ(json["error"]["code"], "UNAVAILABLE");
}

}  // namespace
}  // namespace entente::cli
