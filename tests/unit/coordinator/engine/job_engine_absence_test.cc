// SPDX-License-Identifier: Apache-2.0
// Workers that say they are back on Monday are not dead: no attempt is lost to them.
#include <gmock/gmock.h>

#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "coordinator/engine/job_engine.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kWeekend = absl::Hours(62);

class JobEngineAbsenceTest : public EngineTest {
 protected:
  // One attempt, an hour, and both workers needed.
  static v1::Recipe RecipeOfBoth() {
    v1::Recipe recipe = RecipeOf(1, 2);
    recipe.mutable_pacing()->set_attempts(1);
    *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(1));
    return recipe;
  }
  void SayAwayUntil(const std::shared_ptr<RecordingConnection>& kr, absl::Time until) {
    v1::Away away;
    *away.mutable_until() = ToProto(until);
    workers_->SetAway(WorkerId("kr-lab/w"), kr.get(), away);
  }
  void SayBack(const std::shared_ptr<RecordingConnection>& kr) {
    workers_->SetAway(WorkerId("kr-lab/w"), kr.get(), std::nullopt);
  }
  // A whole second, so that no rounding is in the way.
  absl::Time Monday() const {
    return absl::FromUnixSeconds(absl::ToUnixSeconds(clock_.Now() + kWeekend));
  }
  static JobView WaitForDeadline(JobEngine& job, absl::Time closes_at) {
    return WaitFor(job, [closes_at](const JobView& view) {
      return view.state->HasEnded() || view.state->round.closes_at == closes_at;
    });
  }
};

TEST_F(JobEngineAbsenceTest, PlannedRoundWaitsForWhoIsAwayAndThroughARestart) {
  const absl::Time monday = Monday();
  JobId id;
  {
    const auto fr = AttachWorker("fr-lab/w");
    const auto kr = AttachWorker("kr-lab/w");
    SayAwayUntil(kr, monday);
    const auto job = Submit(RecipeOfBoth());
    id = job->description().id;
    const JobView view = WaitForDeadline(*job, monday + absl::Hours(1));
    ASSERT_EQ(view.state->round.phase, rounds::RoundPhase::kPlanned);
    EXPECT_THAT(view.state->round.reason, HasSubstr("waiting for kr-lab/w, away until "));
  }

  // Nobody has attached since, so only the journal knows.
  Restart();
  clock_.Jump(absl::Hours(24));
  ASSERT_THAT(jobs_->Restore(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  EXPECT_EQ(job->View().state->round.closes_at, monday + absl::Hours(1));
  const auto kr = AttachWorker("kr-lab/w");
  const auto fr = AttachWorker("fr-lab/w");

  const v1::Task task = fr->WaitForTask(0);
  EXPECT_EQ(task.key().attempt(), 1U);
  ASSERT_THAT(Upload("fr-lab/w", task, 1, 0), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEngineAbsenceTest, OpenRoundThatLosesItsQuorumToAnAbsenceIsTriedAgainOnMonday) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOfBoth());
  kr->WaitForTask(0);
  const absl::Time monday = Monday();

  SayAwayUntil(kr, monday);

  const JobView view = WaitForDeadline(*job, monday + absl::Hours(1));
  ASSERT_EQ(view.state->status, jobs::JobStatus::kRunning);
  EXPECT_EQ(view.state->round.attempt, 2U);
  EXPECT_EQ(view.state->round.phase, rounds::RoundPhase::kPlanned);

  SayBack(kr);
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(1), 1, 0), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(1), 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

// Who did not say until when is waited for a while at a time, but not for ever.
TEST_F(JobEngineAbsenceTest, AbsenceWithoutAnEndIsAwaitedForABoundedTime) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  workers_->SetAway(WorkerId("kr-lab/w"), kr.get(), v1::Away());
  const auto job = Submit(RecipeOfBoth());
  const absl::Time first = job->View().state->round.closes_at;

  clock_.Jump(absl::Minutes(61));
  const JobView view = WaitFor(*job, [first](const JobView& v) {
    return v.state->HasEnded() || v.state->round.closes_at > first;
  });
  ASSERT_EQ(view.state->status, jobs::JobStatus::kRunning);
  EXPECT_EQ(view.state->round.attempt, 1U);
  EXPECT_EQ(view.state->round.reason, "waiting for kr-lab/w, away, nobody said until when");

  // Whoever comes meanwhile changes nothing.
  clock_.Jump(absl::Minutes(62));
  jobs_->OnWorkerAttached(WorkerId("fr-lab/w"));
  absl::Notification caught_up;
  job->WhenCaughtUp([&caught_up] { caught_up.Notify(); });
  caught_up.WaitForNotification();
  EXPECT_EQ(job->View().state->round.closes_at, view.state->round.closes_at);

  clock_.Jump(limits::kAbsenceWaitMax);
  EXPECT_THAT(WaitForEnd(*job).state->reason, HasSubstr("deadline passed before enough workers"));
}

TEST_F(JobEngineAbsenceTest, DeadlineThatPassedWhileNothingRanLeavesTimeToSayAway) {
  JobId id;
  {
    const auto fr = AttachWorker("fr-lab/w");
    id = Submit(RecipeOfBoth())->description().id;
  }
  Restart();
  clock_.Jump(absl::Hours(3));
  ASSERT_THAT(jobs_->Restore(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  const absl::Time monday = Monday();

  const auto kr = AttachWorker("kr-lab/w");
  SayAwayUntil(kr, monday);
  const auto fr = AttachWorker("fr-lab/w");

  const JobView view = WaitForDeadline(*job, monday + absl::Hours(1));
  EXPECT_EQ(view.state->status, jobs::JobStatus::kRunning);
  EXPECT_EQ(view.state->round.attempt, 1U);
}

TEST_F(JobEngineAbsenceTest, AbsenceIsNoExcuseWhenSomebodyElseLacksToo) {
  v1::Recipe recipe = RecipeOfBoth();
  recipe.mutable_pacing()->mutable_quorum()->set_count(3);
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  SayAwayUntil(kr, Monday());
  const auto job = Submit(recipe);

  clock_.Jump(absl::Minutes(61));

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kFailed);
}

TEST_F(JobEngineAbsenceTest, WorkerThatGoesAgainAndAgainDoesNotKeepARoundFromEnding) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOfBoth());
  for (uint32_t i = 0; i < limits::kAttemptsBrokenOffMax; ++i) {
    ASSERT_EQ(kr->WaitForTask(i).key().attempt(), i + 1);
    const absl::Time monday = Monday();
    SayAwayUntil(kr, monday);
    // Until it waits: an attempt that is only planned might find the worker back already.
    const JobView view = WaitForDeadline(*job, monday + absl::Hours(1));
    ASSERT_EQ(view.state->status, jobs::JobStatus::kRunning);
    SayBack(kr);
  }
  kr->WaitForTask(limits::kAttemptsBrokenOffMax);
  SayAwayUntil(kr, Monday());

  EXPECT_THAT(WaitForEnd(*job).state->reason,
              HasSubstr("round 1 failed in 1 attempt: quorum of 2 is out of reach"));
}

}  // namespace
}  // namespace entente::engine
