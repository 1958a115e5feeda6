// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_description.h"

#include <gtest/gtest.h>

#include "common/recipe/recipe.h"

namespace entente::engine {
namespace {

const JobId kDescribedJob("mnist-k3x9qa");

JobDescription SomeDescription() {
  JobDescription job{
      .id = kDescribedJob,
      .submitter = "spiffe://a.example/submitter/s",
      .token = "t",
      .trace = *TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")};
  FillRecipeDefaults(&job.recipe);
  job.recipe_digest = RecipeDigest(job.recipe);
  return job;
}

TEST(JobDescriptionTest, IsReadFromTheJournalAsItWasWritten) {
  const JobDescription job = SomeDescription();
  const storage::v1::JobSubmitted record = ToRecord(job, Sha256Of("model"));

  const JobDescription read = FromRecord(job.id, record);

  EXPECT_EQ(record.initial_model(), Sha256Of("model").Raw());
  EXPECT_EQ(read.id, job.id);
  EXPECT_EQ(read.recipe_digest, job.recipe_digest);
  EXPECT_EQ(read.submitter, job.submitter);
  EXPECT_EQ(read.token, job.token);
  EXPECT_EQ(read.trace.ToTraceparent(), job.trace.ToTraceparent());
}

TEST(JobDescriptionTest, AnOldJournalsJobHasTheSameTraceAtEveryStart) {
  storage::v1::JobSubmitted record = ToRecord(SomeDescription(), Sha256Of("model"));
  record.clear_traceparent();

  EXPECT_EQ(FromRecord(kDescribedJob, record).trace.ToTraceparent(),
            FromRecord(kDescribedJob, record).trace.ToTraceparent());
  EXPECT_NE(FromRecord(kDescribedJob, record).trace.trace_id(),
            FromRecord(JobId("mnist-other"), record).trace.trace_id());
}

}  // namespace
}  // namespace entente::engine
