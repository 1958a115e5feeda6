// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_engine.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobEngineTest : public EngineTest {};

TEST_F(JobEngineTest, RoundOfTwoWorkersMovesTheModelByTheirWeightedMean) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));

  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0, /*examples=*/30), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, /*examples=*/10), IsOk());

  const JobView view = WaitForEnd(*job);
  EXPECT_EQ(view.state->status, jobs::JobStatus::kCompleted);
  EXPECT_THAT(ModelValues(view.state->model), ElementsAre(1.75F, 3.0F));
  EXPECT_EQ(view.bytes_up, 2 * UpdateBytes(0, 0).size());
}

TEST_F(JobEngineTest, EventThatTheJournalCouldNotTakeIsTriedAgain) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  journal_->aggregated_failures = 2;

  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

TEST_F(JobEngineTest, RestartRemovesUpdatesThatNoRoundInFlightOwns) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const std::string left = folder_.Write("spool/ended-job/0-1/fr-lab+w-00", "update");

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_FALSE(files_.Exists(left));
}

TEST_F(JobEngineTest, TaskCarriesWhatTheWorkerNeeds) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));

  const v1::Task task = fr->WaitForTask(0);

  EXPECT_EQ(task.key().job_id(), job->description().id.value());
  EXPECT_EQ(task.key().kind(), v1::TaskKey::KIND_TRAIN);
  EXPECT_EQ(task.model_digest(), job->View().state->initial_model.ToHex());
  EXPECT_EQ(task.recipe_digest(), job->description().recipe_digest.ToHex());
  EXPECT_GT(ToDuration(task.deadline()), absl::Minutes(59));
  EXPECT_EQ(ToDuration(task.lease()), absl::Seconds(30));
}

TEST_F(JobEngineTest, RoundWaitsUntilEnoughWorkersAttach) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));
  EXPECT_EQ(job->View().state->round.phase, rounds::RoundPhase::kPlanned);

  const auto kr = AttachWorker("kr-lab/w");

  fr->WaitForTask(0);
  kr->WaitForTask(0);
}

TEST_F(JobEngineTest, WorkerThatAttachesLaterJoinsTheNextRound) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  const v1::Task first = fr->WaitForTask(0);
  const auto kr = AttachWorker("kr-lab/w");

  ASSERT_THAT(Upload("fr-lab/w", first, 1, 1), IsOk());

  EXPECT_EQ(kr->WaitForTask(0).key().round_index(), 1U);
}

TEST_F(JobEngineTest, EvaluationsComeTogetherBeforeTheCommit) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1, /*evaluates=*/true));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 1), IsOk());

  const v1::Task evaluation = fr->WaitForTask(1);
  EXPECT_EQ(evaluation.key().kind(), v1::TaskKey::KIND_EVALUATE);
  EXPECT_NE(evaluation.model_digest(), job->View().state->initial_model.ToHex());
  job->OnEvaluated(WorkerId("fr-lab/w"), evaluation.key(),
                   {.examples = 5, .loss = 0.5, .accuracy = 0.75});

  const JobView view = WaitForEnd(*job);
  ASSERT_TRUE(view.evaluation.has_value());
  EXPECT_EQ(view.evaluation->accuracy, 0.75);
}

TEST_F(JobEngineTest, SilentWorkerIsMissingAfterItsLease) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  AttachWorker("fr-lab/w");
  const auto job = Submit(recipe);

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });

  EXPECT_EQ(view.state->round.participants.at(WorkerId("fr-lab/w")).reason,
            "was silent for its lease of 1s");
}

TEST_F(JobEngineTest, MissingWorkerThatAttachesAgainIsAskedAgain) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  AttachWorker("fr-lab/w");
  const auto job = Submit(recipe);
  WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });

  const auto back = AttachWorker("fr-lab/w");

  EXPECT_EQ(back->WaitForTask(0).key().round_index(), 0U);
}

// It says it once, and then waits to be asked.
TEST_F(JobEngineTest, ReturnThatTheJournalCouldNotTakeIsTriedAgain) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  AttachWorker("fr-lab/w");
  const auto job = Submit(recipe);
  WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kMissing) == 1;
  });
  journal_->returned_failures = 1;

  const auto back = AttachWorker("fr-lab/w");

  EXPECT_EQ(back->WaitForTask(0).key().round_index(), 0U);
}

TEST_F(JobEngineTest, OldUpdatesThatCannotBeRemovedAreLoggedWithTheirJobAndRound) {
  const auto fr = AttachWorker("fr-lab/w");
  auto job = Submit(RecipeOf(1, 1));
  const JobId id = job->description().id;
  fr->WaitForTask(0);
  files_.tree_removals_fail = true;
  testing::internal::CaptureStderr();
  job->Cancel("enough", [](const absl::Status&) {});
  WaitForEnd(*job);
  job.reset();
  Shut();

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              ContainsRegex(
                  absl::StrCat("old updates could not be removed +job=", id.value(), " +round=1")));
}

// Between the timer and the event that it posts.
TEST_F(JobEngineTest, ADeadlineIsKeptThoughTheClockIsSetBackAsItPasses) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  recipe.mutable_pacing()->set_attempts(1);
  const auto job = Submit(recipe);
  absl::Notification is_busy;
  absl::Notification has_passed;
  absl::Notification may_go_on;
  job->AcceptUpdate({.worker = WorkerId("fr-lab/w")}, [&](const absl::Status&) {
    is_busy.Notify();
    may_go_on.WaitForNotification();
  });
  is_busy.WaitForNotification();
  // Timers run in order: the deadline's has run before this one.
  timers_->RunAt(clock_.Now() + absl::Seconds(1), [&] { has_passed.Notify(); });
  has_passed.WaitForNotification();
  clock_.Jump(-absl::Seconds(2));

  may_go_on.Notify();

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kFailed);
}

TEST_F(JobEngineTest, DeadlineAbortsAndTheAttemptsRunOut) {
  v1::Recipe recipe = RecipeOf(1, 2);
  *recipe.mutable_pacing()->mutable_deadline() = ToProto(absl::Seconds(1));
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  *recipe.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(1));
  recipe.mutable_pacing()->set_attempts(2);
  const auto job = Submit(recipe);

  const JobView view = WaitForEnd(*job);

  EXPECT_EQ(view.state->status, jobs::JobStatus::kFailed);
  EXPECT_EQ(job->Rounds().size(), 2U);
}

TEST_F(JobEngineTest, CancelReachesTheWorkersAtWork) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(3, 1));
  fr->WaitForTask(0);
  EXPECT_FALSE(job->HasEnded());

  job->Cancel("cancelled by a test",
              [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });

  EXPECT_EQ(WaitForEnd(*job).state->reason, "cancelled by a test");
  EXPECT_TRUE(job->HasEnded());
  const v1::TaskCancelled cancelled = fr->WaitForCancelled();
  EXPECT_EQ(cancelled.reason(), "cancelled by a test");
  EXPECT_EQ(cancelled.key().round_index(), 0U);
}

TEST_F(JobEngineTest, DeclinedTaskKeepsItsReason) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);

  job->OnTaskDeclined(WorkerId("fr-lab/w"), task.key(), "rule hours: closed");

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kDeclined) == 1;
  });
  EXPECT_EQ(view.state->round.participants.at(WorkerId("fr-lab/w")).reason, "rule hours: closed");
}

TEST_F(JobEngineTest, RoundClosesAtOnceWhenTheLastOneAwaitedFails) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Minutes(50));
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());

  job->OnTaskFailed(WorkerId("kr-lab/w"), kr->WaitForTask(0).key(), "no data", false);

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(job->Rounds()[0]->participants.at(WorkerId("kr-lab/w")).state,
            rounds::ParticipantState::kFailed);
}

TEST_F(JobEngineTest, FailuresThatPreventAQuorumEndTheJobWithoutWaitingAndSayWhose) {
  v1::Recipe recipe = RecipeOf(1, 2);
  recipe.mutable_pacing()->set_attempts(2);
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);

  for (int attempt = 0; attempt < 2; ++attempt) {
    job->OnTaskFailed(WorkerId("fr-lab/w"), fr->WaitForTask(attempt).key(), "no data", false);
  }

  EXPECT_EQ(WaitForEnd(*job).state->reason,
            "round 1 failed in 2 attempts, the last because quorum of 2 is out of reach with 0 in, "
            "failed fr-lab/w (no data), not finished kr-lab/w");
}

TEST_F(JobEngineTest, FailedWorkerIsNotAskedAgainInTheAttempt) {
  v1::Recipe recipe = RecipeOf(1, 1);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::ZeroDuration());
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(recipe);
  job->OnTaskFailed(WorkerId("fr-lab/w"), fr->WaitForTask(0).key(), "no data", false);
  WaitFor(*job, [](const JobView& v) {
    return v.state->round.CountIn(rounds::ParticipantState::kFailed) == 1;
  });

  const auto back = AttachWorker("fr-lab/w");

  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 0), IsOk());
  WaitForEnd(*job);
  EXPECT_EQ(back->task_count(), 0U);
}

TEST_F(JobEngineTest, UpdateOfAFailedWorkerThatRecoveredCounts) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);
  job->OnTaskFailed(WorkerId("fr-lab/w"), task.key(), "the disk is full", false);

  EXPECT_THAT(Upload("fr-lab/w", task, 1, 0), IsOk());
}

TEST_F(JobEngineTest, RestartGoesOnWithTheUpdatesThatWereAcknowledged) {
  const auto job_id = [this] {
    const auto fr = AttachWorker("fr-lab/w");
    const auto kr = AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(1, 2));
    EXPECT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0, 30), IsOk());
    return job->description().id;
  }();

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  const auto kr = AttachWorker("kr-lab/w");
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, 10), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(job_id));
  EXPECT_THAT(ModelValues(WaitForEnd(*job).state->model), ElementsAre(1.75F, 3.0F));
}

TEST_F(JobEngineTest, ReplayGivesTheSameStateAsWasPublished) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  fr->WaitForTask(1);
  const JobView before = WaitFor(*job, [](const JobView& v) {
    return v.state->round.phase == rounds::RoundPhase::kCollecting &&
           v.state->round.round_index == 1;
  });
  const JobId id = job->description().id;

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto restored, jobs_->Find(id));
  EXPECT_EQ(*restored->View().state, *before.state);
}

TEST_F(JobEngineTest, EachWorkerWritesWhatItCanAndBothCount) {
  v1::Recipe recipe = RecipeOf(2, 2);
  recipe.mutable_updates()->set_encoding(v1::Updates::ENCODING_INT8);
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w", FirstEncodings());
  const auto job = Submit(recipe);
  const v1::Task task = fr->WaitForTask(0);
  EXPECT_EQ(task.recipe().updates().encoding(), v1::Updates::ENCODING_INT8);
  EXPECT_EQ(kr->WaitForTask(0).recipe().updates().encoding(), v1::Updates::ENCODING_FP32);

  // 2 and -1 as steps of a scale of 1.
  const std::string int8 = SafetensorsHeader(*Layout::Create({{"w", Dtype::kU8, {6}}})) +
                           std::string("\x00\x00\x80\x3f\x02\xff", 6);
  ASSERT_THAT(UploadRaw("fr-lab/w", task, int8, Sha256Of(int8), 10), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 4, 1, 10), IsOk());

  const v1::Task next = fr->WaitForTask(1);
  ASSERT_OK_AND_ASSIGN(const Digest model, Digest::FromHex(next.model_digest()));
  EXPECT_THAT(ModelValues(model), ElementsAre(4, 2));
}

TEST_F(JobEngineTest, ModelIsDownloadedRoundedByWhoCanReadItAndBothUpdatesCount) {
  v1::Recipe recipe = RecipeOf(2, 2);
  recipe.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w", KnownEncodings(), {});
  const auto job = Submit(recipe);
  const Digest initial = job->View().state->initial_model;
  const v1::Task task = fr->WaitForTask(0);
  EXPECT_EQ(task.model_digest(), models_->RoundedOf(initial).ToHex());
  EXPECT_EQ(task.recipe().updates().download(), v1::Updates::DOWNLOAD_BF16);
  EXPECT_EQ(kr->WaitForTask(0).model_digest(), initial.ToHex());
  EXPECT_EQ(kr->WaitForTask(0).recipe().updates().download(), v1::Updates::DOWNLOAD_UNSPECIFIED);

  ASSERT_THAT(Upload("fr-lab/w", task, 0.1F, 0, 10), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0.1F, 0, 10), IsOk());

  const v1::Task next = fr->WaitForTask(1);
  ASSERT_OK_AND_ASSIGN(const Digest model, Digest::FromHex(kr->WaitForTask(1).model_digest()));
  EXPECT_THAT(ModelValues(model), ElementsAre(1.1F, 2));  // The truth is not rounded.
  EXPECT_EQ(next.model_digest(), models_->RoundedOf(model).ToHex());
}

TEST_F(JobEngineTest, RoundedModelThatIsGoneAfterARestartIsMadeAgainAsItWas) {
  v1::Recipe recipe = RecipeOf(2, 1);
  recipe.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);
  auto fr = AttachWorker("fr-lab/w");
  auto job = Submit(recipe);
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 0.1F, 0, 10), IsOk());
  const std::string rounded = fr->WaitForTask(1).model_digest();
  job.reset();
  ASSERT_THAT(files_.Remove(models_->PathOf(*Digest::FromHex(rounded))), IsOk());

  Restart();
  fr = AttachWorker("fr-lab/w");
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_EQ(fr->WaitForTask(0).model_digest(), rounded);
  EXPECT_TRUE(models_->Contains(*Digest::FromHex(rounded)));
}

TEST_F(JobEngineTest, InitialModelThatIsTooLargeToRoundIsRefused) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);

  EXPECT_THAT(
      jobs_->Submit({.recipe = recipe, .submitter = "s", .initial_model = StoreModel(1, 3.4e38F)}),
      StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("updates.download")));
  EXPECT_TRUE(jobs_->All().empty());
}

TEST_F(JobEngineTest, NextTaskNamesTheWorkersUpdateThatCounted) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(2, 2));
  EXPECT_EQ(fr->WaitForTask(0).counted_update_digest(), "");
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 1), IsOk());

  EXPECT_EQ(fr->WaitForTask(1).counted_update_digest(), Sha256Of(UpdateBytes(1, 0)).ToHex());
  EXPECT_EQ(kr->WaitForTask(1).counted_update_digest(), Sha256Of(UpdateBytes(1, 1)).ToHex());

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  EXPECT_EQ(AttachWorker("fr-lab/w")->WaitForTask(0).counted_update_digest(),
            Sha256Of(UpdateBytes(1, 0)).ToHex());
}

TEST_F(JobEngineTest, WorkerThatStopsAndComesBackWithoutEndHasFailed) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::TaskKey key = fr->WaitForTask(0).key();
  const WorkerId worker("fr-lab/w");

  for (int i = 0; i < 3 * limits::kTaskStopsMax; ++i) {
    job->OnTaskFailed(worker, key, "the worker is stopping", /*may_return=*/true);
    job->OnTaskAccepted(worker, key);
  }
  absl::Notification caught_up;
  job->WhenCaughtUp([&caught_up] { caught_up.Notify(); });
  caught_up.WaitForNotification();

  const rounds::Participant participant = job->View().state->round.participants.at(worker);
  EXPECT_EQ(participant.state, rounds::ParticipantState::kFailed);
  EXPECT_EQ(participant.reason,
            "it stopped its task more than 32 times in one attempt, at last: the worker is "
            "stopping");
  int entries = 0;
  ASSERT_THAT(journal_->Replay([&entries](const store::JournalEntry&) {
    ++entries;
    return absl::OkStatus();
  }),
              IsOk());
  EXPECT_LE(entries, 2 * limits::kTaskStopsMax + 3);  // Submitted and opened; failed.
}

TEST_F(JobEngineTest, EndOfTheJobIsSaidToItsWorkers) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());

  EXPECT_EQ(fr->WaitForJobEnded().job_id(), job->description().id.value());
}

}  // namespace
}  // namespace entente::engine
