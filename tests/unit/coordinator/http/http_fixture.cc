// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/coordinator/http/http_fixture.h"

#include <limits>

#include "common/config/proto_time.h"
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

std::shared_ptr<engine::JobEngine> DashboardFixture::FailedJob() {
  v1::Recipe recipe = RecipeOf(1, 2);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  recipe.mutable_pacing()->set_attempts(2);
  auto job = Submit(recipe);
  WaitForEnd(*job);
  return job;
}

}  // namespace entente::dashboard
