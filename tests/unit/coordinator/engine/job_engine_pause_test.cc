// SPDX-License-Identifier: Apache-2.0
// Jobs that pause and workers that are away.
#include <gmock/gmock.h>

#include "absl/synchronization/notification.h"
#include "common/config/proto_time.h"
#include "coordinator/engine/job_engine.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class JobEnginePauseTest : public EngineTest {
 protected:
  static absl::Status Wait(const std::function<void(std::function<void(absl::Status)>)>& call) {
    absl::Notification done;
    absl::Status result;
    call([&](const absl::Status& status) {
      result = status;
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
  static absl::Status Pause(JobEngine& job, bool now = false) {
    return Wait([&](auto done) { job.PauseJob("paused by a test", now, std::move(done)); });
  }
  static absl::Status ResumeIt(JobEngine& job) {
    return Wait([&](auto done) { job.ResumeJob("resumed by a test", std::move(done)); });
  }
  uint64_t JournalLength() const {
    uint64_t length = 0;
    EXPECT_THAT(journal_->Replay([&](const store::JournalEntry&) {
      ++length;
      return absl::OkStatus();
    }),
                IsOk());
    return length;
  }
  void SayAway(const std::string& worker, const std::shared_ptr<RecordingConnection>& connection) {
    v1::Away away;
    away.set_reason("the GPU is lent");
    workers_->SetAway(WorkerId(worker), connection.get(), away);
  }
  static bool IsSkipped(const JobView& view, const char* worker) {
    const auto& participants = view.state->round.participants;
    const auto it = participants.find(WorkerId(worker));
    return it != participants.end() && it->second.state == rounds::ParticipantState::kSkipped;
  }
};

TEST_F(JobEnginePauseTest, PausedJobFinishesItsRoundAndWaitsThroughARestart) {
  JobId id;
  {
    const auto fr = AttachWorker("fr-lab/w");
    const auto job = Submit(RecipeOf(2, 1));
    id = job->description().id;
    const v1::Task task = fr->WaitForTask(0);
    ASSERT_THAT(Pause(*job), IsOk());
    ASSERT_THAT(Upload("fr-lab/w", task, 1, 0), IsOk());
    WaitFor(*job, [](const JobView& v) { return v.state->rounds_committed == 1; });
  }

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  const auto fr = AttachWorker("fr-lab/w");
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  // Behind whatever the attachment has made it do.
  ASSERT_THAT(Pause(*job), IsOk());
  EXPECT_TRUE(job->View().state->paused);
  EXPECT_EQ(job->View().state->pause_reason, "paused by a test");
  EXPECT_EQ(job->View().state->round.phase, rounds::RoundPhase::kPlanned);
  EXPECT_EQ(fr->task_count(), 0U);

  ASSERT_THAT(ResumeIt(*job), IsOk());
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEnginePauseTest, WhatChangesNothingIsOkAndNotJournalled) {
  const auto job = Submit(RecipeOf(2, 1));
  ASSERT_THAT(Pause(*job), IsOk());
  const uint64_t paused = JournalLength();
  ASSERT_THAT(Pause(*job), IsOk());
  ASSERT_THAT(Pause(*job, /*now=*/true), IsOk());
  EXPECT_EQ(JournalLength(), paused);

  ASSERT_THAT(ResumeIt(*job), IsOk());
  ASSERT_THAT(ResumeIt(*job), IsOk());
  EXPECT_EQ(JournalLength(), paused + 1);
}

TEST_F(JobEnginePauseTest, LogSaysOnceThatItWasPausedAndAStartIsNoResume) {
  const auto job = Submit(RecipeOf(2, 1));
  testing::internal::CaptureStderr();
  EXPECT_THAT(Pause(*job), IsOk());
  EXPECT_THAT(Pause(*job), IsOk());
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, AllOf(HasSubstr("job paused"), HasSubstr("paused by a test")));
  EXPECT_EQ(lines.find("job paused"), lines.rfind("job paused")) << lines;

  Restart();
  testing::internal::CaptureStderr();
  EXPECT_THAT(jobs_->Restore(), IsOk());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("job goes on after the start"), Not(HasSubstr("job resumed"))));
}

TEST_F(JobEnginePauseTest, EndedJobRefusesBoth) {
  const auto job = Submit(RecipeOf(2, 1));
  job->Cancel("enough", [](const absl::Status&) {});

  EXPECT_THAT(Pause(*job), StatusIs(absl::StatusCode::kFailedPrecondition,
                                    HasSubstr("the job has ended already (cancelled): enough")));
  EXPECT_THAT(ResumeIt(*job), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(JobEnginePauseTest, PauseNowTellsTheWorkersAndAsksThemAgainAfterwards) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_pacing()->set_attempts(1);
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(recipe);
  fr->WaitForTask(0);

  ASSERT_THAT(Pause(*job, /*now=*/true), IsOk());
  EXPECT_EQ(fr->WaitForCancelled().reason(), "paused by a test");
  ASSERT_THAT(ResumeIt(*job), IsOk());

  const v1::Task again = fr->WaitForTask(1);
  EXPECT_EQ(again.key().attempt(), 2U);
  ASSERT_THAT(Upload("fr-lab/w", again, 1, 0), IsOk());
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEnginePauseTest, AwayWorkerGivesItsTaskBackAndJoinsTheNextRoundOnceItIsBack) {
  v1::Recipe recipe = RecipeOf(3, 1);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Minutes(50));
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  kr->WaitForTask(0);

  SayAway("kr-lab/w", kr);
  const JobView view = WaitFor(*job, [](const JobView& v) { return IsSkipped(v, "kr-lab/w"); });
  EXPECT_EQ(view.state->round.participants.at(WorkerId("kr-lab/w")).reason,
            "away: the GPU is lent");
  // Nobody waits for it in this round, and the next is opened without it.
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  const v1::Task second = fr->WaitForTask(1);
  EXPECT_EQ(second.key().round_index(), 1U);
  EXPECT_EQ(job->View().state->round.participants.count(WorkerId("kr-lab/w")), 0U);

  workers_->SetAway(WorkerId("kr-lab/w"), kr.get(), std::nullopt);
  ASSERT_THAT(Upload("fr-lab/w", second, 1, 0), IsOk());
  EXPECT_EQ(kr->WaitForTask(1).key().round_index(), 2U);
}

TEST_F(JobEnginePauseTest, RoundThatNobodyIsThereForOpensWhenOneIsBack) {
  const auto fr = AttachWorker("fr-lab/w");
  SayAway("fr-lab/w", fr);
  const auto job = Submit(RecipeOf(1, 1));
  ASSERT_THAT(ResumeIt(*job), IsOk());  // Behind the attempt to open the round.
  EXPECT_EQ(job->View().state->round.phase, rounds::RoundPhase::kPlanned);

  workers_->SetAway(WorkerId("fr-lab/w"), fr.get(), std::nullopt);

  EXPECT_EQ(fr->WaitForTask(0).key().round_index(), 0U);
}

TEST_F(JobEnginePauseTest, EvaluationIsNotAwaitedOfWhoIsAway) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1, /*evaluates=*/true));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 1), IsOk());
  fr->WaitForTask(1);

  SayAway("fr-lab/w", fr);

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(job->Rounds()[0]->participants.at(WorkerId("fr-lab/w")).reason,
            "could not evaluate: away: the GPU is lent");
}

// A round that was open when the coordinator stopped closes when it always would have.
TEST_F(JobEnginePauseTest, DeadlineThatPassedWhileItWasDownClosesTheRoundAtOnce) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Seconds(2));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(2));
  recipe.mutable_pacing()->set_attempts(1);
  const auto fr = AttachWorker("fr-lab/w");
  const auto submitted = Submit(recipe);
  fr->WaitForTask(0);
  const JobId id = submitted->description().id;
  const absl::Time passed_at = clock_.Now() + absl::Seconds(2);

  Restart();
  while (clock_.Now() < passed_at) absl::SleepFor(passed_at - clock_.Now());
  ASSERT_THAT(jobs_->Restore(), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  EXPECT_THAT(WaitForEnd(*job).state->reason, HasSubstr("deadline passed with 0 of 1 updates"));
  EXPECT_EQ(job->Rounds()[0]->closes_at, absl::InfiniteFuture());
}

TEST_F(JobEnginePauseTest, DeadlineOfAnOpenRoundIsTheSameTimeAfterARestart) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto submitted = Submit(RecipeOf(1, 1));
  fr->WaitForTask(0);
  const JobId id = submitted->description().id;
  const absl::Time closes_at = submitted->View().state->round.closes_at;

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));

  EXPECT_EQ(job->View().state->round.closes_at, closes_at);
}

}  // namespace
}  // namespace entente::engine
