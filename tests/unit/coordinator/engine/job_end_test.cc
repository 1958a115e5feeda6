// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_end.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

TEST(JobEndTest, EndOfAJobIsSaidToWhoeverHasItsData) {
  const SimulatedClock clock;
  members::WorkerRegistry workers({}, &clock, 10);
  const auto connection = std::make_shared<RecordingConnection>();
  ASSERT_THAT(workers.Attach(WorkerId("fr-lab/w"), {.datasets = {"d"}}, connection), IsOk());
  JobDescription job{.id = JobId("j")};
  job.recipe.set_dataset("d");

  SayJobEnded(job, 4, &workers);

  const v1::JobEnded ended = connection->WaitForJobEnded();
  EXPECT_EQ(ended.job_id(), "j");
  EXPECT_EQ(ended.round_index(), 4U);
}

}  // namespace
}  // namespace entente::engine
