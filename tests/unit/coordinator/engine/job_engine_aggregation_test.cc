// SPDX-License-Identifier: Apache-2.0
// JobEngine's aggregation; what it computes is aggregation_run_test's.

#include <gmock/gmock.h>

#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTrainer[] = "fr-lab/w";

class JobEngineAggregationTest : public EngineTest {
 protected:
  bool HasTemporaryFiles() {
    const std::vector<std::string> names = files_.ListFiles(folder_.File("models")).value();
    for (const std::string& name : names) {
      if (name.rfind("tmp-", 0) == 0) return true;
    }
    return false;
  }

  // Of the first attempt's {"w": [a, b]}.
  void DamageUpdate(const JobEngine& job, const std::string& worker, float a, float b) {
    const std::string path = spool_->PathOf({.job = job.description().id,
                                             .round_index = 0,
                                             .attempt = 1,
                                             .worker = WorkerId(worker),
                                             .digest = Sha256Of(UpdateBytes(a, b))});
    ASSERT_TRUE(files_.Exists(path));
    ASSERT_THAT((*files_.OpenForWrite(path))->Truncate(5), IsOk());
  }
};

TEST_F(JobEngineAggregationTest, DiskThatIsFullInPassingCostsNoAttempt) {
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 2);

  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());
  const JobView view = WaitForEnd(*job);

  EXPECT_EQ(view.state->status, jobs::JobStatus::kCompleted);
  ASSERT_EQ(job->Rounds().size(), 1U);
  EXPECT_EQ(job->Rounds()[0]->attempt, 1U);
  EXPECT_THAT(ModelValues(view.state->model), ElementsAre(2, 3));
  EXPECT_FALSE(HasTemporaryFiles());
}

TEST_F(JobEngineAggregationTest, BetweenTwoTriesTheViewSaysWhyAndWhenTheNextBegins) {
  aggregation_retry_pause_ = absl::Hours(1);
  Restart();
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  EXPECT_FALSE(job->View().combining.has_value());
  files_.FailWrites("/tmp-", 1);
  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());

  const JobView view = WaitFor(*job, [](const JobView& v) {
    return v.combining.has_value() && v.combining->stage == rounds::Combining::Stage::kPauses;
  });

  EXPECT_EQ(view.combining->tries, 1);
  EXPECT_THAT(view.combining->failure, HasSubstr("No space left on device"));
  EXPECT_GE(view.combining->next_try_at, view.combining->began_at + absl::Hours(1));
  steady_clock_.Jump(absl::Hours(2));
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_FALSE(job->View().combining.has_value());
}

TEST_F(JobEngineAggregationTest, WhileTheJournalTakesNothingTheViewSaysWhy) {
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  EXPECT_THAT(job->View().journal_health, IsOk());
  journal_->aggregated_failures = 1'000'000;
  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());

  const JobView view = WaitFor(*job, [](const JobView& v) { return !v.journal_health.ok(); });

  EXPECT_EQ(view.state->round.phase, rounds::RoundPhase::kAggregating);
  EXPECT_FALSE(view.combining.has_value()) << "they are combined";
  EXPECT_THAT(view.journal_health,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("its disk is full")));
  journal_->aggregated_failures = 0;
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_THAT(job->View().journal_health, IsOk());
}

TEST_F(JobEngineAggregationTest, DiskThatStaysFullIsWaitedForAndWhatIsAcceptedStays) {
  aggregation_retry_pause_ = absl::Milliseconds(1);
  Restart();
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_pacing()->set_attempts(1);
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(recipe);
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 1'000'000);

  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());
  const JobView waits = WaitFor(*job, [](const JobView& view) {
    return view.state->HasEnded() ||
           (view.combining.has_value() && view.combining->tries > limits::kAggregationTriesMax &&
            view.combining->stage == rounds::Combining::Stage::kPauses);
  });

  EXPECT_EQ(waits.state->status, jobs::JobStatus::kRunning) << waits.state->reason;
  ASSERT_TRUE(waits.combining.has_value());
  EXPECT_THAT(waits.combining->failure, HasSubstr("No space left on device"));
  EXPECT_TRUE(waits.combining->no_room_since.has_value());
  EXPECT_EQ(waits.state->round.CountIn(rounds::ParticipantState::kAccepted), 1U);
  files_.FailWrites("/tmp-", 0);
  const JobView end = WaitForEnd(*job);
  EXPECT_EQ(end.state->status, jobs::JobStatus::kCompleted) << end.state->reason;
  EXPECT_THAT(ModelValues(end.state->model), ElementsAre(2, 3));
  EXPECT_EQ(worker->task_count(), 1U);
  EXPECT_FALSE(HasTemporaryFiles());
}

TEST_F(JobEngineAggregationTest, DamagedUpdateIsAskedForAgainAndTheOthersStay) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0, 30), IsOk());
  DamageUpdate(*job, "fr-lab/w", 1, 0);
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, 10), IsOk());

  const v1::Task again = fr->WaitForTask(1);
  EXPECT_EQ(again.key().SerializeAsString(), fr->WaitForTask(0).key().SerializeAsString());
  ASSERT_THAT(Upload("fr-lab/w", again, 1, 0, 30), IsOk());

  const JobView view = WaitForEnd(*job);
  EXPECT_THAT(ModelValues(view.state->model), ElementsAre(1.75F, 3.0F));
  EXPECT_EQ(job->Rounds().size(), 1U);
  EXPECT_EQ(kr->task_count(), 1U);
}

TEST_F(JobEngineAggregationTest, UpdateThatIsLostTooOftenEndsTheAttempt) {
  v1::Recipe recipe = RecipeOf(1, 2);
  recipe.mutable_pacing()->set_attempts(1);
  *recipe.mutable_pacing()->mutable_grace() = ToProto(absl::Minutes(30));
  const auto fr = AttachWorker("fr-lab/w");
  const auto kr = AttachWorker("kr-lab/w");
  const auto straggler = AttachWorker("kr-lab/x");
  const auto job = Submit(recipe);
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4), IsOk());

  for (uint32_t losses = 0; losses <= limits::kUpdateLossesMax; ++losses) {
    ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(losses), 1, 0), IsOk());
    DamageUpdate(*job, "fr-lab/w", 1, 0);
    // Nobody else is awaited: the round closes.
    job->OnTaskFailed(WorkerId("kr-lab/x"), straggler->WaitForTask(losses).key(), "stopping",
                      /*may_return=*/true);
  }

  const JobView view = WaitForEnd(*job);
  EXPECT_EQ(view.state->status, jobs::JobStatus::kFailed);
  EXPECT_THAT(view.state->reason,
              HasSubstr("the update of fr-lab/w changed after it was accepted"));
}

TEST_F(JobEngineAggregationTest, LossThatTheJournalCouldNotTakeIsFoundAgain) {
  const auto worker = AttachWorker(kTrainer);
  const auto other = AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));
  ASSERT_THAT(Upload(kTrainer, worker->WaitForTask(0), 1, 1), IsOk());
  DamageUpdate(*job, kTrainer, 1, 1);
  journal_->lost_failures = 2;
  ASSERT_THAT(Upload("kr-lab/w", other->WaitForTask(0), 1, 1), IsOk());

  ASSERT_THAT(Upload(kTrainer, worker->WaitForTask(1), 1, 1), IsOk());

  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(job->Rounds().size(), 1U);
}

TEST_F(JobEngineAggregationTest, CancellingEndsTheTries) {
  const auto worker = AttachWorker(kTrainer);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  files_.FailWrites("/tmp-", 1);
  ASSERT_THAT(Upload(kTrainer, task, 1, 1), IsOk());

  job->Cancel("enough", [](absl::Status) {});
  const JobView view = WaitForEnd(*job);

  EXPECT_NE(view.state->status, jobs::JobStatus::kFailed);
}

}  // namespace
}  // namespace entente::engine
