// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/backup_source.h"

#include <gmock/gmock.h>

#include "coordinator/inventory/verification.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupSourceTest : public engine::EngineTest {
 protected:
  BackupSourceTest() {
    fr_ = AttachWorker("fr-lab/w");
    kr_ = AttachWorker("kr-lab/w");
    job_ = Submit(RecipeOf(1, 2));
    EXPECT_THAT(Upload("fr-lab/w", fr_->WaitForTask(0), 1, 1), IsOk());
  }

  absl::StatusOr<std::unique_ptr<BackupSource>> Begin(std::set<Digest> present = {}) {
    return BackupSource::Begin({.files = &files_,
                                .journal = real_journal_.get(),
                                .spool = spool_.get(),
                                .folder = folder_.path()},
                               std::move(present));
  }

  // Writes everything to another folder.
  void Receive(BackupSource& source, const TempFolder& copy) {
    for (size_t i = 0; i < source.files().size(); ++i) {
      const BackupFile& file = source.files()[i];
      std::string bytes;
      while (bytes.size() < file.total_bytes) {
        ASSERT_OK_AND_ASSIGN(const std::string piece, source.Read(i, bytes.size(), 1000));
        bytes += piece;
      }
      EXPECT_EQ(Sha256Of(bytes), file.digest) << file.path;
      copy.Write(file.path, bytes);
    }
  }

  std::shared_ptr<engine::RecordingConnection> fr_;
  std::shared_ptr<engine::RecordingConnection> kr_;
  std::shared_ptr<engine::JobEngine> job_;
};

TEST_F(BackupSourceTest, CopyIsWholeThoughTheRoundEndsMeanwhile) {
  const TempFolder copy;
  ASSERT_OK_AND_ASSIGN(const auto source, Begin());
  EXPECT_EQ(source->files().front().path, "journal.sqlite");
  EXPECT_EQ(source->job_count(), 1U);

  // The round is committed, and its updates would be removed.
  ASSERT_THAT(Upload("kr-lab/w", kr_->WaitForTask(0), 2, 2), IsOk());
  WaitForEnd(*job_);
  Receive(*source, copy);

  ASSERT_OK_AND_ASSIGN(const Verification verification, VerifyDataDirectory(files_, copy.path()));
  EXPECT_THAT(verification.damages, IsEmpty());
  EXPECT_EQ(verification.jobs.front().status, "running");
  EXPECT_EQ(verification.updates.files, 1U);
}

TEST_F(BackupSourceTest, NothingIsLeftBehindAndPutOffRemovalsAreDone) {
  const std::string id = job_->description().id.value();
  {
    ASSERT_OK_AND_ASSIGN(const auto source, Begin());
    ASSERT_THAT(Upload("kr-lab/w", kr_->WaitForTask(0), 2, 2), IsOk());
    WaitForEnd(*job_);
    EXPECT_FALSE(ListFolders(files_, folder_.File("spool/" + id))->empty());
  }

  job_.reset();
  Shut();  // The engine has removed what it wanted to.
  EXPECT_THAT(*files_.ListFiles(folder_.path()),
              ElementsAre("backup.lock", "journal.sqlite", "journal.sqlite.lock"));
  EXPECT_TRUE(ListFolders(files_, folder_.File("spool/" + id))->empty());
}

TEST_F(BackupSourceTest, WhatTheReaderHasIsMarked) {
  const Digest model = job_->View().state->model;

  ASSERT_OK_AND_ASSIGN(const auto source, Begin({model}));

  int present = 0;
  for (const BackupFile& file : source->files()) {
    if (!file.is_present) continue;
    ++present;
    EXPECT_EQ(file.digest, model);
  }
  EXPECT_EQ(present, 1);
}

TEST_F(BackupSourceTest, OneBackupAtATime) {
  ASSERT_OK_AND_ASSIGN(const auto first, Begin());

  EXPECT_THAT(Begin(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("another backup is being taken")));
}

TEST_F(BackupSourceTest, MissingFileThatAJobNeedsIsNamed) {
  const std::string path = models_->PathOf(job_->View().state->model);
  ASSERT_THAT(files_.Remove(path), IsOk());

  EXPECT_THAT(Begin(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the initial model of job")));
}

TEST_F(BackupSourceTest, FullDiskIsSaidAndNothingStays) {
  files_.bytes_left = 100;

  EXPECT_THAT(Begin(), StatusIs(absl::StatusCode::kResourceExhausted));

  files_.bytes_left = int64_t{1} << 60;
  EXPECT_FALSE(files_.Exists(folder_.File("journal.sqlite.copy")));
  EXPECT_THAT(Begin(), IsOk());
}

}  // namespace
}  // namespace entente::inventory
