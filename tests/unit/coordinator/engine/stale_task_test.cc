// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stale_task.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

constexpr char kStaleWorker[] = "fr-lab/w";
const WorkerId kStaleId(kStaleWorker);

v1::TaskKey StaleKey(uint32_t round_index, uint32_t attempt,
                     v1::TaskKey::Kind kind = v1::TaskKey::KIND_TRAIN) {
  v1::TaskKey key;
  key.set_round_index(round_index);
  key.set_attempt(attempt);
  key.set_kind(kind);
  return key;
}

// A running job whose round 2, attempt 1, is in this phase, with the worker in this state.
jobs::JobState JobIn(rounds::RoundPhase phase, rounds::ParticipantState state) {
  jobs::JobState job;
  job.round.round_index = 1;
  job.round.phase = phase;
  job.round.reason = "why it is so";
  job.round.participants[kStaleId].state = state;
  return job;
}

std::optional<std::string> WhyInFlight(const jobs::JobState& job,
                                       v1::TaskKey::Kind kind = v1::TaskKey::KIND_TRAIN) {
  return WhyCalledOff(job, nullptr, kStaleId, StaleKey(1, 1, kind));
}

TEST(WhyCalledOffTest, WhatMayStillCountIsLeftAlone) {
  using State = rounds::ParticipantState;
  for (const State state : {State::kInvited, State::kWorking, State::kMissing, State::kFailed,
                            State::kSkipped, State::kAccepted}) {
    SCOPED_TRACE(rounds::ParticipantStateName(state));
    EXPECT_EQ(WhyInFlight(JobIn(rounds::RoundPhase::kCollecting, state)), std::nullopt);
  }
}

TEST(WhyCalledOffTest, WhoIsOutOfTheRoundHearsWhy) {
  using State = rounds::ParticipantState;
  EXPECT_THAT(WhyInFlight(JobIn(rounds::RoundPhase::kCollecting, State::kDeclined)),
              Optional(HasSubstr("declined in round 2")));
  EXPECT_THAT(WhyInFlight(JobIn(rounds::RoundPhase::kGrace, State::kRefused)),
              Optional(HasSubstr("refused in round 2")));
  jobs::JobState without = JobIn(rounds::RoundPhase::kCollecting, State::kWorking);
  without.round.participants.clear();
  EXPECT_THAT(WhyInFlight(without), Optional(HasSubstr("not in the cohort of round 2")));
}

TEST(WhyCalledOffTest, RoundThatClosedWithoutItSaysSo) {
  EXPECT_THAT(
      WhyInFlight(JobIn(rounds::RoundPhase::kAggregating, rounds::ParticipantState::kMissing)),
      Optional(HasSubstr("round 2 is aggregating (why it is so)")));
}

TEST(WhyCalledOffTest, UpdateThatIsInIsNotForgotten) {
  using State = rounds::ParticipantState;
  EXPECT_EQ(WhyInFlight(JobIn(rounds::RoundPhase::kAggregating, State::kAccepted)), std::nullopt);
  const jobs::JobState now = JobIn(rounds::RoundPhase::kCollecting, State::kInvited);
  rounds::RoundState ended = JobIn(rounds::RoundPhase::kCommitted, State::kAccepted).round;
  ended.round_index = 0;
  EXPECT_EQ(WhyCalledOff(now, &ended, kStaleId, StaleKey(0, 1)), std::nullopt);
}

TEST(WhyCalledOffTest, EvaluationIsLeftAloneWhileItIsAwaited) {
  jobs::JobState job = JobIn(rounds::RoundPhase::kEvaluating, rounds::ParticipantState::kAccepted);
  EXPECT_THAT(WhyInFlight(job, v1::TaskKey::KIND_EVALUATE), Optional(HasSubstr("is evaluating")));
  job.round.participants[kStaleId].evaluation_awaited = true;
  EXPECT_EQ(WhyInFlight(job, v1::TaskKey::KIND_EVALUATE), std::nullopt);
}

TEST(WhyCalledOffTest, RoundThatIsNotOpenYetWillAskAgain) {
  jobs::JobState job = JobIn(rounds::RoundPhase::kPlanned, rounds::ParticipantState::kInvited);
  job.round.participants.clear();
  EXPECT_EQ(WhyInFlight(job), std::nullopt);
}

TEST(WhyCalledOffTest, AttemptThatNeverWasIsNotInFlight) {
  const jobs::JobState job =
      JobIn(rounds::RoundPhase::kCollecting, rounds::ParticipantState::kWorking);
  EXPECT_THAT(WhyCalledOff(job, nullptr, kStaleId, StaleKey(6, 2)),
              Optional(std::string("round 7 attempt 2 is not in flight; round 2 attempt 1 is")));
}

// A worker whose link is down when its task is called off.
class StaleTaskTest : public EngineTest {
 protected:
  void CutLink(const std::shared_ptr<RecordingConnection>& connection) {
    workers_->Detach(kStaleId, connection.get(), "the link is down");
  }

  static void Cancel(JobEngine& job) {
    job.Cancel("cancelled by a test",
               [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
    WaitForEnd(job);
  }

  // The worker is back on its link, and still at work on `key`.
  std::shared_ptr<RecordingConnection> ComeBackAtWork(JobEngine& job, const v1::TaskKey& key) {
    auto connection = AttachWorker(kStaleWorker);
    job.OnProgress(kStaleId, key, {.activity = "training", .step = 3, .step_count = 100});
    return connection;
  }
};

TEST_F(StaleTaskTest, WorkerWhoseLinkWasDownAsTheJobWasCancelledHearsItWhenItIsBack) {
  const auto before = AttachWorker(kStaleWorker);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  Cancel(*job);

  const auto back = ComeBackAtWork(*job, key);

  const v1::TaskCancelled cancelled = back->WaitForCancelled();
  EXPECT_EQ(cancelled.key().SerializeAsString(), key.SerializeAsString());
  EXPECT_EQ(cancelled.reason(), "the job has ended: cancelled by a test");
  EXPECT_EQ(back->WaitForJobEnded().job_id(), key.job_id());
}

TEST_F(StaleTaskTest, CoordinatorThatEndedBeforeItSaidSoSaysItAfterItsRestart) {
  const auto key = [this] {
    const auto before = AttachWorker(kStaleWorker);
    const auto job = Submit(RecipeOf(1, 1));
    const v1::TaskKey task_key = before->WaitForTask(0).key();
    CutLink(before);
    Cancel(*job);
    return task_key;
  }();
  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(JobId(key.job_id())));

  const auto back = AttachWorker(kStaleWorker);
  job->OnTaskAccepted(kStaleId, key);

  EXPECT_THAT(back->WaitForCancelled().reason(), HasSubstr("cancelled by a test"));
  back->WaitForJobEnded();
}

TEST_F(StaleTaskTest, WorkerOfAnAttemptThatWasAbortedHearsWhyThoughTheNextDoesWithoutIt) {
  const auto kr = AttachWorker("kr-lab/w");
  const auto before = AttachWorker(kStaleWorker);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  job->PauseJob("paused by a test", /*now=*/true, [](const absl::Status&) {});
  job->ResumeJob("resumed by a test", [](const absl::Status&) {});
  kr->WaitForTask(1);  // Of the second attempt, whose cohort is kr-lab/w alone.

  const auto back = ComeBackAtWork(*job, key);

  EXPECT_EQ(back->WaitForCancelled().reason(), "round 1 attempt 1 is aborted: paused by a test");
}

TEST_F(StaleTaskTest, WorkerThatTheRoundWentOnWithoutHearsIt) {
  const auto kr = AttachWorker("kr-lab/w");
  const auto before = AttachWorker(kStaleWorker);
  const auto job = Submit(RecipeOf(2, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  job->OnTaskFailed(kStaleId, key, "the worker is stopping", /*may_return=*/true);
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 1), IsOk());
  kr->WaitForTask(1);  // Of round 2.

  const auto back = ComeBackAtWork(*job, key);

  EXPECT_THAT(back->WaitForCancelled().reason(), HasSubstr("round 1 attempt 1 is committed"));
}

}  // namespace
}  // namespace entente::engine
