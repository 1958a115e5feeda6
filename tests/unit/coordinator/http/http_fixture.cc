// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/coordinator/http/http_fixture.h"

#include <limits>

#include "tests/support/status_matchers.h"

namespace entente::dashboard {

StatusSources DashboardFixture::Sources() const {
  return {.clock = &clock_,
          .jobs = jobs_.get(),
          .workers = workers_.get(),
          .journal = real_journal_.get(),
          .version = "0.1.0-test"};
}

std::shared_ptr<engine::JobEngine> DashboardFixture::EndedJob() {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = kr->WaitForTask(0);
  EXPECT_FALSE(Upload("kr-lab/w", task, std::numeric_limits<float>::quiet_NaN(), 0).ok());
  WaitFor(*job, [](const engine::JobView& view) {
    return view.state->round.CountIn(rounds::ParticipantState::kRefused) == 1;
  });
  EXPECT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0, /*examples=*/30), IsOk());
  WaitForEnd(*job);
  return job;
}

}  // namespace entente::dashboard
