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

  std::shared_ptr<RecordingConnection> fr_;
  std::shared_ptr<RecordingConnection> kr_;
  JobView view_;
  std::string update_path_;
};

TEST_F(StoredFilesTest, WhatIsThereIsFine) {
  EXPECT_THAT(CheckModelFiles(view_, *models_), IsOk());
  EXPECT_THAT(MissingUpdates(view_, *spool_, files_), IsEmpty());
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

TEST_F(StoredFilesTest, MissingUpdateIsNamedAndItsRoundTriedAgain) {
  const JobId id = view_.description->id;
  ASSERT_THAT(files_.Remove(update_path_), IsOk());
  EXPECT_THAT(MissingUpdates(view_, *spool_, files_), ElementsAre(update_path_));

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  const auto kr = AttachWorker("kr-lab/w");
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 0, 4, 10), IsOk());
  const auto fr = AttachWorker("fr-lab/w");
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  const v1::Task again = fr->WaitForTask(0);
  EXPECT_EQ(again.key().attempt(), 2U);
  EXPECT_THAT(job->Rounds()[0]->reason, HasSubstr(update_path_));
}

}  // namespace
}  // namespace entente::engine
