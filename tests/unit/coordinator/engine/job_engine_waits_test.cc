// SPDX-License-Identifier: Apache-2.0
// A clock that is set back a day puts off deadlines, which are times of day, and nothing else.
#include <gmock/gmock.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;

constexpr char kAttached[] = "fr-lab/w";

class JobEngineWaitsTest : public EngineTest {};

TEST_F(JobEngineWaitsTest, EventThatTheJournalDidNotTakeIsTriedAgainAfterTheClockWasSetBack) {
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(RecipeOf(1, 1));
  journal_->aggregated_failures = 1;
  ASSERT_THAT(Upload(kAttached, worker->WaitForTask(0), 1, 1), IsOk());
  WaitFor(*job,
          [](const JobView& view) { return view.state->HasEnded() || !view.journal_health.ok(); });

  clock_.Jump(-absl::Hours(24));

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEngineWaitsTest, AggregationIsTriedAgainAfterTheClockWasSetBack) {
  aggregation_retry_pause_ = absl::Seconds(2);
  Restart();
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 1);
  ASSERT_THAT(Upload(kAttached, task, 1, 1), IsOk());
  WaitFor(*job, [](const JobView& view) {
    return view.state->HasEnded() ||
           (view.combining.has_value() && !view.combining->failure.empty());
  });

  clock_.Jump(-absl::Hours(24));

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEngineWaitsTest, LeaseRunsOutAfterTheClockWasSetBack) {
  v1::Recipe recipe = RecipeOf(1, 2);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  const auto fr = AttachWorker(kAttached);
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  kr->WaitForTask(0);

  clock_.Jump(-absl::Hours(24));

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.state->HasEnded() || v.state->round.CountIn(rounds::ParticipantState::kMissing) == 2;
  });
  EXPECT_THAT(view.state->round.participants.at(WorkerId(kAttached)).reason,
              HasSubstr("was silent for its lease of 1s"));
}

TEST_F(JobEngineWaitsTest, LeaseDoesNotRunOutForAClockThatIsSetAhead) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(100));
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(1));
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  const v1::Task task = worker->WaitForTask(0);

  clock_.Jump(absl::Hours(24));
  // A wall-time timer would have been noticed within a second.
  const auto has_passed = std::make_shared<absl::Notification>();
  timers_->RunAt(clock_.Now() + absl::Seconds(2), [has_passed] { has_passed->Notify(); });
  has_passed->WaitForNotification();

  EXPECT_EQ(job->View().state->round.CountIn(rounds::ParticipantState::kMissing), 0U);
  ASSERT_THAT(Upload(kAttached, task, 1, 1), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

}  // namespace
}  // namespace entente::engine
