// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_spool.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::updates {
namespace {

using ::testing::HasSubstr;

class UpdateSpoolTest : public ::testing::Test {
 protected:
  UpdateSpoolTest() : spool_(*UpdateSpool::Create(files_, folder_.File("spool"))) {}

  static SpoolKey Key(std::string worker = "fr-lab/gpu-1", uint32_t attempt = 1) {
    return {.job = JobId("fashion-k3x9qa"),
            .round_index = 4,
            .attempt = attempt,
            .worker = WorkerId(std::move(worker)),
            .digest = Sha256Of("update")};
  }
  void Upload(const SpoolKey& key) {
    ASSERT_OK_AND_ASSIGN(const auto incoming, spool_->Receive(key, 6, 0));
    ASSERT_THAT(incoming.file->Append(incoming.file->offset(), "update"), IsOk());
    ASSERT_THAT(incoming.file->Verify(key.digest), IsOk());
    ASSERT_THAT(incoming.file->Commit(), IsOk());
  }

  TempFolder folder_;
  FaultyFileSystem files_;
  std::unique_ptr<UpdateSpool> spool_;
};

TEST_F(UpdateSpoolTest, UpdateLiesInTheFolderOfItsAttempt) {
  Upload(Key());

  EXPECT_EQ(spool_->PathOf(Key()),
            folder_.File("spool/fashion-k3x9qa/4-1/fr-lab+gpu-1-" + Sha256Of("update").ToHex()));
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
}

TEST_F(UpdateSpoolTest, UnfinishedUploadContinuesWhereItStood) {
  {
    ASSERT_OK_AND_ASSIGN(const auto incoming, spool_->Receive(Key(), 6, 0));
    ASSERT_THAT(incoming.file->Append(0, "upd"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto again, spool_->Receive(Key(), 6, 0));
  ASSERT_OK_AND_ASSIGN(const auto another, spool_->Receive(Key("fr-lab/gpu-2"), 6, 0));

  EXPECT_EQ(again.file->offset(), 3u);
  EXPECT_EQ(another.file->offset(), 0u);
}

TEST_F(UpdateSpoolTest, SecondStreamOfTheSameUpdateIsTurnedAway) {
  ASSERT_OK_AND_ASSIGN(const auto incoming, spool_->Receive(Key(), 6, 0));
  EXPECT_THAT(spool_->Receive(Key(), 6, 0),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("fr-lab/gpu-1")));
  EXPECT_THAT(spool_->Receive(Key("fr-lab/gpu-2"), 6, 0), IsOk());
}

TEST_F(UpdateSpoolTest, FullDiskRefusesAndALaterTryWorks) {
  files_.bytes_left = 5;
  EXPECT_THAT(spool_->Receive(Key(), 6, 0), StatusIs(absl::StatusCode::kResourceExhausted));
  files_.bytes_left = 1000;
  Upload(Key());
}

TEST_F(UpdateSpoolTest, WorkersUnfinishedUpdateOfAnotherDigestIsDropped) {
  {
    ASSERT_OK_AND_ASSIGN(const auto first, spool_->Receive(Key(), 6, 0));
    ASSERT_THAT(first.file->Append(0, "upd"), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto of_another, spool_->Receive(Key("fr-lab/gpu-1-b"), 6, 0));
    ASSERT_THAT(of_another.file->Append(0, "upd"), IsOk());
  }
  SpoolKey other = Key();
  other.digest = Sha256Of("another");

  ASSERT_THAT(spool_->Receive(other, 7, 0), IsOk());

  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key()) + ".part"));
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1-b")) + ".part"));
  EXPECT_EQ(spool_->space().present_bytes(), 3u);
}

TEST_F(UpdateSpoolTest, WorkerSendsOneUpdateAtATime) {
  SpoolKey other = Key();
  other.digest = Sha256Of("another");
  {
    ASSERT_OK_AND_ASSIGN(const auto first, spool_->Receive(Key(), 6, 0));
    EXPECT_THAT(
        spool_->Receive(other, 7, 0),
        StatusIs(absl::StatusCode::kUnavailable, HasSubstr("another update of fr-lab/gpu-1")));
  }
  EXPECT_THAT(spool_->Receive(other, 7, 0), IsOk());
}

TEST_F(UpdateSpoolTest, QuotaCountsWhatIsThereAfterARestart) {
  Upload(Key());
  {
    ASSERT_OK_AND_ASSIGN(const auto cut, spool_->Receive(Key("fr-lab/gpu-2"), 6, 0));
    ASSERT_THAT(cut.file->Append(0, "upd"), IsOk());
  }
  folder_.Write("spool/ended-job/0-1/fr-lab+a-00", "update");
  ASSERT_OK_AND_ASSIGN(const auto restarted,
                       UpdateSpool::Create(files_, folder_.File("spool"), /*quota_bytes=*/15));
  EXPECT_EQ(restarted->space().present_bytes(), 15u);

  ASSERT_THAT(
      restarted->KeepOnly({{.job = JobId("fashion-k3x9qa"), .round_index = 4, .attempt = 1}}),
      IsOk());

  EXPECT_EQ(restarted->space().present_bytes(), 9u);
  EXPECT_THAT(restarted->Receive(Key("fr-lab/gpu-3"), 7, 0),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("may hold 15")));
  EXPECT_THAT(restarted->Receive(Key("fr-lab/gpu-2"), 6, 0), IsOk());
}

TEST_F(UpdateSpoolTest, DroppedUpdateGivesItsRoomBack) {
  Upload(Key());
  EXPECT_EQ(spool_->space().present_bytes(), 6u);

  spool_->Drop(Key());

  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key())));
  EXPECT_EQ(spool_->space().present_bytes(), 0u);
}

TEST_F(UpdateSpoolTest, RemoveTakesTheWholeAttemptAndNothingElse) {
  Upload(Key("fr-lab/gpu-1", 1));
  Upload(Key("fr-lab/gpu-1", 2));
  {
    ASSERT_OK_AND_ASSIGN(const auto incoming, spool_->Receive(Key("kr-lab/a", 1), 6, 0));
    ASSERT_THAT(incoming.file->Append(0, "upd"), IsOk());
  }

  ASSERT_THAT(spool_->Remove(JobId("fashion-k3x9qa"), 4, 1), IsOk());

  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 1))));
  EXPECT_FALSE(files_.Exists(folder_.File("spool/fashion-k3x9qa/4-1")));
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 2))));
  EXPECT_EQ(spool_->space().present_bytes(), 6u);
  EXPECT_THAT(spool_->Remove(JobId("fashion-k3x9qa"), 4, 1), IsOk());
  EXPECT_THAT(spool_->Remove(JobId("another"), 0, 1), IsOk());
}

// Keeps what is posted for the test to run.
class PatientExecutor final : public Executor {
 public:
  void Post(std::function<void()> task) override { tasks.push_back(std::move(task)); }

  std::vector<std::function<void()>> tasks;
};

TEST_F(UpdateSpoolTest, AttemptThatIsRemovedSoonGivesItsRoomBackAtOnce) {
  Upload(Key("fr-lab/gpu-1", 1));
  Upload(Key("fr-lab/gpu-1", 2));
  PatientExecutor executor;

  spool_->RemoveSoon({.job = Key().job, .round_index = 4, .attempt = 1}, &executor);

  EXPECT_EQ(spool_->space().present_bytes(), 6u);
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 1))));
  ASSERT_EQ(executor.tasks.size(), 1u);
  executor.tasks[0]();
  EXPECT_EQ(spool_->space().present_bytes(), 6u);
  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 1))));
}

TEST_F(UpdateSpoolTest, HeldAttemptThatIsRemovedSoonKeepsItsRoom) {
  Upload(Key());
  PatientExecutor executor;
  {
    const SpoolHold hold(spool_.get());
    spool_->RemoveSoon({.job = Key().job, .round_index = 4, .attempt = 1}, &executor);
    ASSERT_EQ(executor.tasks.size(), 1u);
    executor.tasks[0]();
    EXPECT_EQ(spool_->space().present_bytes(), 6u);
    EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
  }
  EXPECT_EQ(spool_->space().present_bytes(), 0u);
  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key())));
}

TEST_F(UpdateSpoolTest, KeepOnlyRemovesWhatNoAttemptInFlightOwns) {
  Upload(Key("fr-lab/gpu-1", 1));
  Upload(Key("fr-lab/gpu-1", 2));
  folder_.Write("spool/ended-job/0-1/fr-lab+a-00", "update");

  ASSERT_THAT(spool_->KeepOnly({{.job = JobId("fashion-k3x9qa"), .round_index = 4, .attempt = 2}}),
              IsOk());

  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 1))));
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key("fr-lab/gpu-1", 2))));
  EXPECT_FALSE(files_.Exists(folder_.File("spool/ended-job")));
}

TEST_F(UpdateSpoolTest, UpdatesOfUnknownJobsAreSetAsideWhole) {
  Upload(Key());
  folder_.Write("spool/another-job/0-1/fr-lab+a-00", "update");

  ASSERT_OK_AND_ASSIGN(const auto moved, spool_->SetAside({JobId("fashion-k3x9qa")}));

  EXPECT_EQ(moved, std::vector<std::string>{folder_.File("spool-unknown/another-job")});
  EXPECT_TRUE(files_.Exists(folder_.File("spool-unknown/another-job/0-1/fr-lab+a-00")));
  EXPECT_FALSE(files_.Exists(folder_.File("spool/another-job")));
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
}

TEST_F(UpdateSpoolTest, WhatIsSetAsideTwiceIsThereTwice) {
  folder_.Write("spool/another-job/0-1/fr-lab+a-00", "first");
  ASSERT_THAT(spool_->SetAside({}), IsOk());
  folder_.Write("spool/another-job/0-1/fr-lab+a-00", "second");

  ASSERT_OK_AND_ASSIGN(const auto moved, spool_->SetAside({}));

  EXPECT_EQ(moved, std::vector<std::string>{folder_.File("spool-unknown/another-job.2")});
  EXPECT_TRUE(files_.Exists(folder_.File("spool-unknown/another-job/0-1/fr-lab+a-00")));
}

TEST_F(UpdateSpoolTest, HeldUpdatesStayUntilTheLastHoldEnds) {
  Upload(Key());
  auto first = std::make_unique<SpoolHold>(spool_.get());
  {
    const SpoolHold second(spool_.get());
    ASSERT_THAT(spool_->Remove(Key().job, 4, 1), IsOk());
  }
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
  EXPECT_EQ(spool_->space().present_bytes(), 6U);

  first.reset();

  EXPECT_FALSE(files_.Exists(spool_->PathOf(Key())));
  EXPECT_EQ(spool_->space().present_bytes(), 0U);
}

// A backup may have listed it, and another try may read it.
TEST_F(UpdateSpoolTest, HeldUpdateIsNotDroppedNorIsTheOneThatComesInItsPlace) {
  Upload(Key());
  {
    const SpoolHold hold(spool_.get());
    spool_->Drop(Key());
    EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
    Upload(Key());
  }
  EXPECT_TRUE(files_.Exists(spool_->PathOf(Key())));
  EXPECT_EQ(spool_->space().present_bytes(), 6U);
}

TEST_F(UpdateSpoolTest, HostileNamesCannotLeaveTheFolder) {
  for (const char* worker : {"../../../tmp/x", "fr-lab/../../x", "fr-lab/..", "..", "fr-lab/a/b",
                             "", "fr-lab", "fr-lab/", "/x", "fr-lab/a b", "fr-lab/\n"}) {
    EXPECT_THAT(spool_->Receive(Key(worker), 6, 0),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot name a file")))
        << worker;
    const std::string path = spool_->PathOf(Key(worker));
    EXPECT_EQ(path.find(".."), std::string::npos) << path;
    EXPECT_EQ(path.rfind('/'), folder_.File("spool/fashion-k3x9qa/4-1").size()) << path;
  }
  SpoolKey key = Key();
  key.job = JobId("../../x");
  EXPECT_THAT(spool_->Receive(key, 6, 0), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(spool_->Remove(key.job, 4, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UpdateSpoolTest, WorkersWhoseNamesJoinAlikeStayApart) {
  EXPECT_NE(spool_->PathOf(Key("a-b/c")), spool_->PathOf(Key("a/b-c")));
}

}  // namespace
}  // namespace entente::updates
