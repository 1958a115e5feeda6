// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_state.h"

#include <gtest/gtest.h>

namespace entente::jobs {
namespace {

TEST(JobStateTest, NamesAreTheWordsOfTheGlossary) {
  EXPECT_EQ(JobStatusName(JobStatus::kRunning), "running");
  EXPECT_EQ(JobStatusName(JobStatus::kCompleted), "completed");
  EXPECT_EQ(JobStatusName(JobStatus::kFailed), "failed");
  EXPECT_EQ(JobStatusName(JobStatus::kCancelled), "cancelled");
}

TEST(JobStateTest, JobIsSubmittedOnceItHasATimeAndEndsWithItsStatus) {
  JobState job;
  EXPECT_FALSE(job.WasSubmitted());

  job.submitted_at = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_TRUE(job.WasSubmitted());
  EXPECT_FALSE(job.HasEnded());

  job.status = JobStatus::kCancelled;
  EXPECT_TRUE(job.HasEnded());
}

}  // namespace
}  // namespace entente::jobs
