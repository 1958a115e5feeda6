// SPDX-License-Identifier: Apache-2.0
// A clock that is set back a day puts off deadlines, which are times of day, and nothing else.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>

#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr char kAttached[] = "fr-lab/w";

class JobEngineWaitsTest : public EngineTest {
 protected:
  static void WaitForFailedAppend(JobEngine& job) {
    WaitFor(job, [](const JobView& view) {
      return view.state->HasEnded() || !view.journal_health.ok();
    });
  }

  // Until what the journal did not take has been tried again.
  void WaitForJournalRetry(JobEngine& job) {
    const auto has_passed = std::make_shared<absl::Notification>();
    pauses_->RunAt(steady_clock_.Now() + limits::kJournalRetryPause + absl::Milliseconds(200),
                   [has_passed] { has_passed->Notify(); });
    has_passed->WaitForNotification();
    CatchUp(job);
  }

  static void CatchUp(JobEngine& job) {
    const auto is_caught_up = std::make_shared<absl::Notification>();
    job.WhenCaughtUp([is_caught_up] { is_caught_up->Notify(); });
    is_caught_up->WaitForNotification();
  }
};

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

TEST_F(JobEngineWaitsTest, DeadlineThatTheJournalDidNotTakeIsKeptThoughTheClockIsSetBack) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(1));
  recipe.mutable_pacing()->set_attempts(1);
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  worker->WaitForTask(0);
  // However many timers it has: of the planned round, of the open one.
  journal_->deadline_failures = 1000;
  clock_.Jump(absl::Hours(2));
  WaitForFailedAppend(*job);

  clock_.Jump(-absl::Hours(2));
  CatchUp(*job);  // A deadline that was found before the jump is not to be written after it.
  journal_->deadline_failures = 0;
  WaitForJournalRetry(*job);
  EXPECT_EQ(job->View().state->status, jobs::JobStatus::kRunning);
  clock_.Jump(absl::Hours(2));

  EXPECT_THAT(WaitForEnd(*job).state->reason, HasSubstr("deadline passed with 0 of 1 updates"));
}

TEST_F(JobEngineWaitsTest, WorkerThatIsHeardWhileTheJournalTakesNothingIsNotMissing) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(100));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Hours(50));
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(1));
  const auto fr = AttachWorker(kAttached);
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  const v1::Task task = kr->WaitForTask(0);
  job->OnTaskAccepted(WorkerId("kr-lab/w"), task.key());
  ASSERT_THAT(Upload(kAttached, fr->WaitForTask(0), 1, 0), IsOk());
  CatchUp(*job);  // It has its lease.
  journal_->silence_failures = 1000;
  steady_clock_.Jump(absl::Hours(2));
  WaitForFailedAppend(*job);

  job->OnProgress(WorkerId("kr-lab/w"), task.key(), {.activity = "training"});
  CatchUp(*job);
  journal_->silence_failures = 0;
  WaitForJournalRetry(*job);

  EXPECT_EQ(job->View().state->round.CountIn(rounds::ParticipantState::kWorking), 1U);
  ASSERT_THAT(Upload("kr-lab/w", task, 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(job->Rounds()[0]->CountIn(rounds::ParticipantState::kAccepted), 2U);
}

TEST_F(JobEngineWaitsTest, EvaluatorThatIsHeardWhileTheJournalTakesNothingIsStillAwaited) {
  v1::Recipe recipe = RecipeOf(1, 1, /*evaluates=*/true);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(1));
  *recipe.mutable_evaluation()->mutable_deadline() = ToProto(absl::Hours(20));
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  ASSERT_THAT(Upload(kAttached, worker->WaitForTask(0), 1, 1), IsOk());
  const v1::Task evaluation = worker->WaitForTask(1);
  CatchUp(*job);  // It has its lease.
  journal_->silence_failures = 1000;
  steady_clock_.Jump(absl::Hours(2));
  WaitForFailedAppend(*job);

  job->OnProgress(WorkerId(kAttached), evaluation.key(), {.activity = "evaluating"});
  CatchUp(*job);
  journal_->silence_failures = 0;
  WaitForJournalRetry(*job);
  job->OnEvaluated(WorkerId(kAttached), evaluation.key(), {.examples = 10, .loss = 0.5});

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_TRUE(job->View().evaluation.has_value());
}

TEST_F(JobEngineWaitsTest, WorkerThatDeclinedAndIsAtWorkAgainWhenTheJournalTakesItIsAwaited) {
  const auto fr = AttachWorker(kAttached);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);
  job->OnTaskAccepted(WorkerId(kAttached), task.key());
  journal_->declined_failures = 1000;
  job->OnTaskDeclined(WorkerId(kAttached), task.key(), "the site stops");
  WaitForFailedAppend(*job);

  job->OnProgress(WorkerId(kAttached), task.key(), {.activity = "training"});
  CatchUp(*job);
  journal_->declined_failures = 0;
  WaitForJournalRetry(*job);

  ASSERT_THAT(Upload(kAttached, task, 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEngineWaitsTest, ReturnOfAWorkerThatIsGoneAgainIsNotJournalled) {
  const auto fr = AttachWorker(kAttached);
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));
  const v1::Task task = fr->WaitForTask(0);
  job->OnTaskFailed(WorkerId(kAttached), task.key(), "stopping", /*may_return=*/true);
  CatchUp(*job);
  journal_->returned_failures = 1000;
  job->OnWorkerAttached(WorkerId(kAttached));
  WaitForFailedAppend(*job);

  workers_->Detach(WorkerId(kAttached), fr.get(), "gone");
  CatchUp(*job);  // A return that was found before is not to be written after it.
  journal_->returned_failures = 0;
  WaitForJournalRetry(*job);

  EXPECT_EQ(job->View().state->round.CountIn(rounds::ParticipantState::kMissing), 1U);
}

TEST_F(JobEngineWaitsTest, RoundThatTheJournalDidNotTakeOpensWithWhoIsThereByThen) {
  const auto fr = AttachWorker(kAttached);
  const auto kr = AttachWorker("kr-lab/w");
  journal_->opened_failures = 1000;
  const auto job = Submit(RecipeOf(1, 2));
  WaitForFailedAppend(*job);

  workers_->Detach(WorkerId("kr-lab/w"), kr.get(), "gone");
  const auto jp = AttachWorker("jp-lab/w");
  CatchUp(*job);
  journal_->opened_failures = 0;
  WaitForJournalRetry(*job);

  const auto& participants = job->View().state->round.participants;
  EXPECT_EQ(participants.count(WorkerId("jp-lab/w")), 1U);
  EXPECT_EQ(participants.count(WorkerId("kr-lab/w")), 0U);
}

TEST_F(JobEngineWaitsTest, StopThatTheJournalDidNotTakeIsTriedAgain) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(1));
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  const v1::Task task = worker->WaitForTask(0);
  journal_->silence_failures = 1;

  job->OnTaskFailed(WorkerId(kAttached), task.key(), "stopping", /*may_return=*/true);

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });
  EXPECT_EQ(view.state->round.participants.at(WorkerId(kAttached)).reason, "stopping");
}

TEST_F(JobEngineWaitsTest, AttemptsThatFailAtOnceHaveARestBetweenThem) {
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(RecipeOf(1, 1));
  for (uint32_t attempt = 1; attempt <= 2; ++attempt) {
    const v1::Task task = worker->WaitForTask(attempt - 1);
    const absl::Time failed_at = steady_clock_.Now();
    job->OnTaskFailed(WorkerId(kAttached), task.key(), "no room", /*may_return=*/false);
    const JobView view = WaitFor(*job, [attempt](const JobView& v) {
      const bool is_planned = v.state->round.phase == rounds::RoundPhase::kPlanned;
      return v.state->round.attempt > attempt && (!is_planned || v.rests_until.has_value());
    });
    if (attempt == 2) AttachWorker("kr-lab/w");  // Does not end the rest.

    EXPECT_EQ(worker->WaitForTask(attempt).key().attempt(), attempt + 1);

    EXPECT_GE(steady_clock_.Now() - failed_at, attempt * absl::Seconds(1));
    EXPECT_FALSE(job->View().rests_until.has_value());
  }
}

TEST_F(JobEngineWaitsTest, RestLeavesTheAttemptHalfOfItsTime) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  // A busy machine may miss the half of one attempt or another; without the limit no attempt after
  // the second would have any time left.
  recipe.mutable_pacing()->set_attempts(100);
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);

  job->OnTaskFailed(WorkerId(kAttached), worker->WaitForTask(0).key(), "no room",
                    /*may_return=*/false);

  EXPECT_GE(worker->WaitForTask(1).key().attempt(), 2U);
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

TEST_F(JobEngineWaitsTest, WhoIsMissingAndNotAttachedIsSaidToBeSoSinceWhen) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Hours(1));
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  worker->WaitForTask(0);

  workers_->Detach(WorkerId(kAttached), worker.get(), "the connection ended");
  const absl::Time since = workers_->DetachedSince(WorkerId(kAttached)).value();
  CatchUp(*job);  // It has its lease.
  steady_clock_.Jump(absl::Hours(2));

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });
  EXPECT_THAT(view.state->round.participants.at(WorkerId(kAttached)).reason,
              AllOf(HasSubstr("was silent for its lease of 1h; not attached since "),
                    EndsWith(absl::FormatTime("%H:%M:%S UTC", since, absl::UTCTimeZone()))));
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

TEST_F(JobEngineWaitsTest, WhoLooksSeesUntilWhenSilenceIsBorne) {
  const v1::Recipe recipe = RecipeOf(1, 1);
  const absl::Duration lease = ToDuration(recipe.pacing().lease());
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(recipe);
  const v1::Task task = worker->WaitForTask(0);
  const absl::Time before = clock_.Now();
  job->OnTaskAccepted(WorkerId(kAttached), task.key());

  const JobView at_work = WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kWorking) == 1;
  });
  ASSERT_THAT(Upload(kAttached, task, 1, 1), IsOk());
  const JobView done = WaitForEnd(*job);

  ASSERT_EQ(at_work.lease_ends.size(), 1U);
  EXPECT_GE(at_work.lease_ends.at(WorkerId(kAttached)), before + lease);
  EXPECT_LE(at_work.lease_ends.at(WorkerId(kAttached)), clock_.Now() + lease);
  EXPECT_TRUE(done.lease_ends.empty());
}

// Neither is an event of the job, but its pages say it.
TEST_F(JobEngineWaitsTest, WhoLooksIsToldThatAParticipantIsGoneAndThatItIsBack) {
  const auto worker = AttachWorker(kAttached);
  const auto job = Submit(RecipeOf(1, 1));
  worker->WaitForTask(0);
  const auto is_caught_up = std::make_shared<absl::Notification>();
  job->WhenCaughtUp([is_caught_up] { is_caught_up->Notify(); });
  is_caught_up->WaitForNotification();
  const auto told = std::make_shared<std::atomic<int>>(0);
  const uint64_t watch = job->Watch([told] { ++*told; });

  workers_->Detach(WorkerId(kAttached), worker.get(), "the connection ended");
  EXPECT_TRUE(Eventually([&] { return *told > 0; }));
  AttachWorker(kAttached);
  EXPECT_TRUE(Eventually([&] { return *told > 1; }));

  job->Unwatch(watch);
}

}  // namespace
}  // namespace entente::engine
