// SPDX-License-Identifier: Apache-2.0
// tests/scenarios tells the stories; here is what they do not reach.
#include "coordinator/jobs/job_machine.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace entente::jobs {
namespace {

using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);
const WorkerId kFr("fr-lab/w");

JobPlan PlanOf(uint32_t rounds, uint32_t evaluates_every) {
  JobPlan plan{.round_count = rounds,
               .attempts_max = 1,
               .evaluates_every = evaluates_every,
               .round_policy = {}};
  plan.round_policy.quorum_count = 1;
  return plan;
}

JobState Submit(const JobPlan& plan) {
  return Step({}, Submitted{.plan = plan, .initial_model = Sha256Of("initial")}, kNoon)
      .value()
      .next;
}

// Takes the round in flight up to its aggregation.
JobTransition Aggregate(const JobState& state) {
  const auto happened = [](const JobState& s, rounds::RoundEvent event) {
    return RoundHappened{s.round.round_index, s.round.attempt, std::move(event)};
  };
  JobState next = Step(state, happened(state, rounds::Opened{{kFr}}), kNoon).value().next;
  next =
      Step(next, happened(next, rounds::UpdateAccepted{kFr, {.examples = 1}}), kNoon).value().next;
  return Step(next, happened(next, rounds::Aggregated{Sha256Of("m"), Sha256Of("o"), {}}), kNoon)
      .value();
}

TEST(JobMachineTest, SubmissionPlansTheFirstRoundFromTheInitialModel) {
  const JobState job = Submit(PlanOf(3, 0));

  EXPECT_EQ(job.status, JobStatus::kRunning);
  EXPECT_EQ(job.round.phase, rounds::RoundPhase::kPlanned);
  EXPECT_EQ(job.round.base_model, Sha256Of("initial"));
}

TEST(JobMachineTest, SecondSubmissionIsRefused) {
  EXPECT_THAT(
      Step(Submit(PlanOf(1, 0)), Submitted{.plan = PlanOf(1, 0), .initial_model = {}}, kNoon),
      StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(JobMachineTest, EventBeforeTheSubmissionIsRefused) {
  EXPECT_THAT(Step({}, JobCancelled{"x"}, kNoon), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(JobMachineTest, CommittedModelIsTheNextRoundsBase) {
  const JobTransition step = Aggregate(Submit(PlanOf(2, 0)));

  EXPECT_EQ(step.next.rounds_committed, 1U);
  EXPECT_EQ(step.next.round.round_index, 1U);
  EXPECT_EQ(step.next.round.base_model, Sha256Of("m"));
  EXPECT_EQ(step.next.optimizer_state, Sha256Of("o"));
  ASSERT_TRUE(step.ended_round.has_value());
  EXPECT_EQ(step.ended_round->phase, rounds::RoundPhase::kCommitted);
}

TEST(JobMachineTest, EveryNthRoundAndTheLastAreEvaluated) {
  JobState job = Submit(PlanOf(3, 2));
  EXPECT_FALSE(job.round.policy.evaluates);
  job = Aggregate(job).next;
  EXPECT_TRUE(job.round.policy.evaluates);
  job = Aggregate(job).next;
  job = Step(job, RoundHappened{1, 1, rounds::Evaluated{kFr, {.examples = 1}}}, kNoon).value().next;
  EXPECT_EQ(job.round.round_index, 2U);
  EXPECT_TRUE(job.round.policy.evaluates);
}

TEST(JobMachineTest, EventForAnotherRoundIsRefusedAndNamesTheOneInFlight) {
  EXPECT_THAT(Step(Submit(PlanOf(2, 0)), RoundHappened{1, 1, rounds::DeadlineChecked{}}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("round 2 attempt 1 is not in flight; round 1 attempt 1 is")));
}

TEST(JobMachineTest, PausedTwiceKeepsItsFirstReasonAndResumedTwiceChangesNothing) {
  const JobState once = Step(Submit(PlanOf(2, 0)), JobPaused{"by a"}, kNoon).value().next;

  const JobTransition twice = Step(once, JobPaused{"by b"}, kNoon).value();
  EXPECT_EQ(twice.next, once);
  EXPECT_EQ(twice.next.pause_reason, "by a");
  EXPECT_TRUE(twice.effects.empty());

  const JobState running = Step(once, JobResumed{"by a"}, kNoon).value().next;
  const JobTransition again = Step(running, JobResumed{"by b"}, kNoon).value();
  EXPECT_EQ(again.next, running);
  EXPECT_TRUE(again.effects.empty());
}

TEST(JobMachineTest, PauseThatBreaksOffTheRoundSaysSoAndHasTheLastWord) {
  const JobState open =
      Step(Submit(PlanOf(2, 0)), RoundHappened{0, 1, rounds::Opened{{kFr}}}, kNoon).value().next;
  const JobState pausing = Step(open, JobPaused{"by a"}, kNoon).value().next;

  const JobTransition broken_off = Step(pausing, JobPaused{"by b", /*now=*/true}, kNoon).value();

  EXPECT_EQ(broken_off.next.pause_reason, "by b");
  ASSERT_TRUE(broken_off.ended_round.has_value());
  EXPECT_EQ(broken_off.ended_round->reason, "by b");
  EXPECT_EQ(broken_off.next.round.reason, "the job is paused; attempt 1 was broken off");
  const JobTransition again = Step(broken_off.next, JobPaused{"by c", /*now=*/true}, kNoon).value();
  EXPECT_EQ(again.next.pause_reason, "by b");
}

TEST(JobMachineTest, StartOfTheCoordinatorChangesNothing) {
  const JobState job = Submit(PlanOf(2, 0));

  const JobTransition started = Step(job, CoordinatorStarted{"1.0.0", "it waits"}, kNoon).value();

  EXPECT_EQ(started.next, job);
  EXPECT_TRUE(started.effects.empty());
  EXPECT_FALSE(started.ended_round.has_value());
  EXPECT_EQ(started.reason, "the coordinator was started again: it waits");
  const JobState ended = Step(job, JobCancelled{"by a"}, kNoon).value().next;
  EXPECT_THAT(Step(ended, CoordinatorStarted{"1.0.0", "it waits"}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(JobMachineTest, ResumedRoundHasItsWholeDeadlineFromThen) {
  JobState job = Step(Submit(PlanOf(2, 0)), JobPaused{"by a"}, kNoon).value().next;
  EXPECT_EQ(job.round.closes_at, absl::InfiniteFuture());

  job = Step(job, JobResumed{"by a"}, kNoon + absl::Hours(100)).value().next;

  EXPECT_EQ(job.round.closes_at, kNoon + absl::Hours(100) + job.plan.round_policy.deadline);
}

TEST(JobMachineTest, NoRoundOfAPausedJobOpens) {
  const JobState job = Step(Submit(PlanOf(2, 0)), JobPaused{"by a"}, kNoon).value().next;

  EXPECT_THAT(Step(job, RoundHappened{0, 1, rounds::Opened{{kFr}}}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("the job is paused")));
}

TEST(JobMachineTest, EndedJobIsNeitherPausedNorResumed) {
  const JobState job = Step(Submit(PlanOf(2, 0)), JobCancelled{"by a"}, kNoon).value().next;

  EXPECT_THAT(Step(job, JobPaused{"by b"}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the job has ended already (cancelled): by a")));
  EXPECT_THAT(Step(job, JobResumed{"by b"}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace entente::jobs
