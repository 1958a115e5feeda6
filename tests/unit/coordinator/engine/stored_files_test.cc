// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stored_files.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// A job whose round has one of the two updates that it needs.
class StoredFilesTest : public EngineTest {
 protected:
  StoredFilesTest() {
    fr_ = AttachWorker("fr-lab/w");
    kr_ = AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(1, 2));
    EXPECT_THAT(Upload("fr-lab/w", fr_->WaitForTask(0), 1, 0, 30), IsOk());
    view_ = job->View();
    update_path_ = spool_->PathOf(
        {.job = job->description().id,
         .round_index = 0,
         .attempt = 1,
         .worker = WorkerId("fr-lab/w"),
         .digest = view_.state->round.participants.at(WorkerId("fr-lab/w")).update.digest});
  }

  std::map<WorkerId, std::string> Lost() {
    return LostUpdates(view_.description->id, view_.state->round, *spool_, files_);
  }

  std::shared_ptr<RecordingConnection> fr_;
  std::shared_ptr<RecordingConnection> kr_;
  JobView view_;
  std::string update_path_;
};

TEST_F(StoredFilesTest, WhatIsThereIsFine) {
  EXPECT_THAT(CheckModelFiles(view_, *models_, files_), IsOk());
  EXPECT_THAT(Lost(), IsEmpty());
}

TEST_F(StoredFilesTest, CoordinatorDoesNotStartWithoutARunningJobsModel) {
  const std::string path = models_->PathOf(view_.state->model);
  ASSERT_THAT(files_.Remove(path), IsOk());

  Restart();

  EXPECT_THAT(jobs_->Restore(), StatusIs(absl::StatusCode::kDataLoss,
                                         AllOf(HasSubstr(view_.description->id.value()),
                                               HasSubstr(path), HasSubstr("put it back"))));
  EXPECT_TRUE(files_.Exists(update_path_)) << "nothing may be removed";
}

TEST_F(StoredFilesTest, UpdateThatIsDamagedIsFoundByItsDigest) {
  ASSERT_THAT((*files_.OpenForWrite(update_path_))->WriteAt(0, "x"), IsOk());

  EXPECT_THAT(Lost(),
              ElementsAre(Pair(WorkerId("fr-lab/w"), HasSubstr(update_path_ + " is damaged"))));
}

TEST_F(StoredFilesTest, LookForLostUpdatesEndsWhenItIsStopped) {
  ASSERT_THAT(files_.Remove(update_path_), IsOk());
  const std::atomic<bool> is_stopping = true;

  EXPECT_THAT(LostUpdates(view_.description->id, view_.state->round, *spool_, files_, &is_stopping),
              IsEmpty());
}

TEST_F(StoredFilesTest, UpdatesThatNobodyWillReadAreNotLost) {
  ASSERT_THAT(files_.Remove(update_path_), IsOk());
  rounds::RoundState round = view_.state->round;
  round.phase = rounds::RoundPhase::kEvaluating;

  EXPECT_THAT(LostUpdates(view_.description->id, round, *spool_, files_), IsEmpty());
}

TEST_F(StoredFilesTest, MissingUpdateIsNamedAndAskedForAgainInTheSameAttempt) {
  const JobId id = view_.description->id;
  ASSERT_THAT(files_.Remove(update_path_), IsOk());
  EXPECT_THAT(Lost(), ElementsAre(Pair(WorkerId("fr-lab/w"), update_path_ + " is missing")));

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  const auto kr = AttachWorker("kr-lab/w");
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, 10), IsOk());
  const size_t asked = kr->task_count();  // At the start and when it attached, perhaps.
  const auto fr = AttachWorker("fr-lab/w");
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  const v1::Task again = fr->WaitForTask(0);
  EXPECT_EQ(again.key().attempt(), 1U);
  EXPECT_THAT(job->View().state->round.participants.at(WorkerId("fr-lab/w")).reason,
              HasSubstr(update_path_));

  ASSERT_THAT(Upload("fr-lab/w", again, 1, 0, 30), IsOk());
  EXPECT_THAT(ModelValues(WaitForEnd(*job).state->model), ElementsAre(1.75F, 3.0F));
  EXPECT_EQ(job->Rounds().size(), 1U);
  EXPECT_EQ(kr->task_count(), asked) << "its update was there";
}

// It still looks like an update. The pages of a file that was not synced are zeros after the power
// was gone, and its size is right; and a disk may rot.
TEST_F(StoredFilesTest, UpdateThatHasChangedIsAskedForAgainAtTheNextStart) {
  const JobId id = view_.description->id;
  const uint64_t bytes = *files_.SizeBytes(update_path_);
  ASSERT_THAT((*files_.OpenForWrite(update_path_))->WriteAt(bytes - 8, std::string(8, '\0')),
              IsOk());

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  const auto kr = AttachWorker("kr-lab/w");
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, 10), IsOk());
  const auto fr = AttachWorker("fr-lab/w");
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0, 30), IsOk());
  EXPECT_THAT(ModelValues(WaitForEnd(*job).state->model), ElementsAre(1.75F, 3.0F));
}

TEST_F(StoredFilesTest, RoundedCopyThatHasChangedIsMadeAgainAtTheNextStart) {
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);
  const auto job = Submit(recipe);
  const Digest rounded = models_->RoundedOf(job->View().state->model);
  const std::string path = models_->PathOf(rounded);
  ASSERT_THAT((*files_.OpenForWrite(path))->WriteAt(0, "x"), IsOk());

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_EQ(*Sha256OfFile(files_, path), rounded);
}

TEST_F(StoredFilesTest, ModelThatHasChangedStopsTheStart) {
  const std::string path = models_->PathOf(view_.state->model);
  const uint64_t bytes = *files_.SizeBytes(path);
  ASSERT_THAT((*files_.OpenForWrite(path))->WriteAt(bytes - 8, std::string(8, '\0')), IsOk());

  Restart();

  EXPECT_THAT(jobs_->Restore(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path + ", is damaged"), HasSubstr("put it back"))));
  EXPECT_TRUE(files_.Exists(update_path_)) << "nothing may be removed";
}

}  // namespace
}  // namespace entente::engine
