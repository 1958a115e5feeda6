// SPDX-License-Identifier: Apache-2.0
#include "sim/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/status_matchers.h"

namespace entente::sim {
namespace {

using ::testing::ElementsAre;

constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class DiskTest : public ::testing::Test {
 protected:
  std::string Text(const std::string& path) { return *ReadTextFile(files_, path, 1 << 20); }
  void Write(const std::string& path, const std::string& text, bool syncs) {
    ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(path));
    ASSERT_THAT(file->WriteAt(0, text), IsOk());
    if (syncs) {
      ASSERT_THAT(file->Sync(), IsOk());
    }
  }

  Scheduler scheduler_{1};
  Disk disk_{&scheduler_};
  bool alive_ = true;
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [this] { return alive_; }};
};

TEST_F(DiskTest, WhatWasSyncedAndNamedSurvivesThePower) {
  ASSERT_THAT(files_.CreateFolder("/a"), IsOk());
  ASSERT_THAT(WriteTextFile(files_, "/a/text", "for good"), IsOk());

  for (int i = 0; i < 100; ++i) disk_.LosePower();

  EXPECT_EQ(Text("/a/text"), "for good");
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListNames("/a"));
  EXPECT_THAT(names, ElementsAre("text"));
}

TEST_F(DiskTest, AnUnsyncedWriteIsWholeTornOrLost) {
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(WriteTextFile(files_, "/text", "0000"), IsOk());
    Write("/text", "1111", /*syncs=*/false);
    disk_.LosePower();
    seen.insert(Text("/text"));
  }

  EXPECT_TRUE(seen.contains("0000"));
  EXPECT_TRUE(seen.contains("1111"));
  EXPECT_TRUE(seen.contains("0110"));
  EXPECT_TRUE(seen.contains("1000"));
}

TEST_F(DiskTest, AFileWithoutASyncedNameMayBeGone) {
  int there = 0;
  for (int i = 0; i < 100; ++i) {
    Write("/text", "synced", /*syncs=*/true);
    disk_.LosePower();
    there += files_.Exists("/text") ? 1 : 0;
    ASSERT_THAT(files_.Remove("/text"), IsOk());
    ASSERT_THAT(files_.SyncFolder(""), IsOk());
  }

  EXPECT_GT(there, 10);
  EXPECT_LT(there, 90);
}

TEST_F(DiskTest, TheNamesOfAFolderAreLostFromTheEnd) {
  for (int i = 0; i < 100; ++i) {
    for (const char* name : {"/1", "/2", "/3"}) Write(name, "", /*syncs=*/true);
    disk_.LosePower();
    EXPECT_TRUE(files_.Exists("/1") || !files_.Exists("/2"));
    EXPECT_TRUE(files_.Exists("/2") || !files_.Exists("/3"));
    for (const char* name : {"/1", "/2", "/3"}) ASSERT_THAT(files_.Remove(name), IsOk());
    ASSERT_THAT(files_.SyncFolder(""), IsOk());
  }
}

TEST_F(DiskTest, AFailedSyncMayTakeTheBytesAndALaterOneDoesNotBringThemBack) {
  int readable = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(WriteTextFile(files_, "/text", "old"), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite("/text"));
    ASSERT_THAT(file->WriteAt(0, "new"), IsOk());
    disk_.faults.sync_fails = 1;
    EXPECT_THAT(file->Sync(), StatusIs(kUnavailable));
    disk_.faults.sync_fails = 0;
    readable += Text("/text") == "new" ? 1 : 0;

    EXPECT_THAT(file->Sync(), IsOk());
    disk_.LosePower();

    EXPECT_EQ(Text("/text"), "old");
  }
  EXPECT_GT(readable, 10);
  EXPECT_LT(readable, 90);
}

TEST_F(DiskTest, AFullDiskTakesSomeBytesAndSaysSo) {
  disk_.faults.is_full = true;
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite("/text"));

  EXPECT_THAT(file->WriteAt(0, "more than fits"), StatusIs(absl::StatusCode::kResourceExhausted,
                                                           testing::HasSubstr("free some space")));

  EXPECT_EQ(*files_.FreeBytes("/"), 0U);
  EXPECT_EQ(std::string("more than fits").rfind(Text("/text"), 0), 0U);
}

TEST_F(DiskTest, ADeadProcessChangesNothing) {
  ASSERT_THAT(WriteTextFile(files_, "/text", "old"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite("/text"));
  alive_ = false;

  EXPECT_THAT(file->WriteAt(0, "new"), StatusIs(kUnavailable));
  EXPECT_THAT(files_.Rename("/text", "/other"), StatusIs(kUnavailable));
  EXPECT_THAT(files_.Remove("/text"), StatusIs(kUnavailable));

  alive_ = true;
  EXPECT_EQ(Text("/text"), "old");
}

TEST_F(DiskTest, ATruncationSurvivesThePowerIfItWasSynced) {
  ASSERT_THAT(WriteTextFile(files_, "/text", "0123"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite("/text"));
  ASSERT_THAT(file->Truncate(2), IsOk());
  EXPECT_EQ(Text("/text"), "01");
  ASSERT_THAT(file->Sync(), IsOk());
  disk_.LosePower();
  EXPECT_EQ(Text("/text"), "01");

  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(WriteTextFile(files_, "/text", "0123"), IsOk());
    ASSERT_OK_AND_ASSIGN(const auto again, files_.OpenForWrite("/text"));
    ASSERT_THAT(again->Truncate(0), IsOk());
    disk_.LosePower();
    seen.insert(Text("/text"));
  }
  EXPECT_THAT(seen, ElementsAre("", "0123"));
}

TEST_F(DiskTest, AFolderMovesWithAllThatIsInIt) {
  ASSERT_THAT(files_.CreateFolder("/a/inner"), IsOk());
  ASSERT_THAT(WriteTextFile(files_, "/a/inner/text", "for good"), IsOk());

  ASSERT_THAT(files_.Rename("/a", "/b"), IsOk());
  disk_.LosePower();

  EXPECT_FALSE(files_.Exists("/a"));
  EXPECT_EQ(Text("/b/inner/text"), "for good");
  EXPECT_THAT(files_.Rename("/b", "/no/folder"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Text("/b/inner/text"), "for good");
}

TEST_F(DiskTest, ALockKeepsOthersOutUntilItIsGivenBack) {
  constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
  EXPECT_THAT(files_.Lock("/lock", LockKind::kShared), StatusIs(absl::StatusCode::kNotFound));
  {
    ASSERT_OK_AND_ASSIGN(const auto held, files_.Lock("/lock", LockKind::kExclusive));
    EXPECT_THAT(files_.Lock("/lock", LockKind::kExclusive), StatusIs(kRefused));
    EXPECT_THAT(files_.Lock("/lock", LockKind::kShared), StatusIs(kRefused));
  }
  ASSERT_OK_AND_ASSIGN(const auto first, files_.Lock("/lock", LockKind::kShared));
  EXPECT_THAT(files_.Lock("/lock", LockKind::kShared), IsOk());
  EXPECT_THAT(files_.Lock("/lock", LockKind::kExclusive), StatusIs(kRefused));
}

TEST_F(DiskTest, AProcessDurableFileSystemSyncsNothing) {
  DiskFileSystem careless(&disk_, Durability::kProcess, [] { return true; });
  int there = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(WriteTextFile(careless, "/text", "new"), IsOk());
    disk_.LosePower();
    there += files_.Exists("/text") && Text("/text") == "new" ? 1 : 0;
    ASSERT_THAT(files_.RemoveTree("/text"), IsOk());
    ASSERT_THAT(files_.SyncFolder(""), IsOk());
  }

  EXPECT_GT(there, 0);
  EXPECT_LT(there, 90);
}

}  // namespace
}  // namespace entente::sim
