// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class CheckpointStoreTest : public testing::Test {
 protected:
  CheckpointStoreTest() { fs::create_directories(trainer_); }

  std::unique_ptr<CheckpointStore> Open() {
    auto store = CheckpointStore::Open(&files_, folder_.File("checkpoints"), trainer_);
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  void EmptyTrainerFolder() {
    fs::remove_all(trainer_);
    fs::create_directories(trainer_);
  }
  static void WriteTo(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  static std::string TextAt(const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  const std::string trainer_ = folder_.File("trainer");
};

TEST_F(CheckpointStoreTest, WhatATrainerLeftIsHandedOutToTheNextEvenOfAnotherWorker) {
  {
    const auto store = Open();
    ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("a-1.checkpoint"));
    EXPECT_EQ(path, trainer_ + "/a-1.checkpoint");
    EXPECT_FALSE(fs::exists(path)) << "there is none yet";
    WriteTo(path, "step 4");
  }
  const auto store = Open();  // The worker was killed too.
  store->TakeBack();
  EmptyTrainerFolder();

  ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("a-1.checkpoint"));

  EXPECT_EQ(TextAt(path), "step 4");
}

TEST_F(CheckpointStoreTest, WhatWasNotAskedForIsNotTaken) {
  const auto store = Open();
  ASSERT_THAT(store->HandOut("a-1.checkpoint"), IsOk());
  WriteTo(trainer_ + "/b-1.checkpoint", "for another job to find");
  store->TakeBack();
  EmptyTrainerFolder();

  ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("b-1.checkpoint"));

  EXPECT_FALSE(fs::exists(path));
}

TEST_F(CheckpointStoreTest, LinkIsNotFollowed) {
  const std::string secret = folder_.Write("secret", "not the trainer's to read");
  const auto store = Open();
  ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("a-1.checkpoint"));
  fs::create_symlink(secret, path);
  store->TakeBack();
  EmptyTrainerFolder();

  ASSERT_OK_AND_ASSIGN(const std::string again, store->HandOut("a-1.checkpoint"));

  EXPECT_FALSE(fs::exists(again));
  EXPECT_EQ(TextAt(secret), "not the trainer's to read");
}

TEST_F(CheckpointStoreTest, DroppedOneIsGoneWhereverItIs) {
  const auto store = Open();
  ASSERT_OK_AND_ASSIGN(const std::string a, store->HandOut("a-1.checkpoint"));
  WriteTo(a, "1");
  ASSERT_OK_AND_ASSIGN(const std::string b, store->HandOut("b-1.checkpoint"));
  WriteTo(b, "2");
  EXPECT_TRUE(fs::exists(folder_.File("checkpoints/a-1.checkpoint")));

  store->Drop("a-");
  store->Drop("b-");

  EXPECT_FALSE(fs::exists(folder_.File("checkpoints/a-1.checkpoint")));
  EXPECT_FALSE(fs::exists(b));
}

TEST_F(CheckpointStoreTest, OthersOfAJobAreDroppedAlone) {
  const auto store = Open();
  for (const char* name : {"a-1.checkpoint", "a-2.checkpoint", "b-1.checkpoint"}) {
    ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut(name));
    WriteTo(path, name);
  }
  store->TakeBack();

  store->DropOthers("a-", "a-2");

  EXPECT_FALSE(fs::exists(folder_.File("checkpoints/a-1.checkpoint")));
  EXPECT_TRUE(fs::exists(folder_.File("checkpoints/a-2.checkpoint")));
  EXPECT_TRUE(fs::exists(folder_.File("checkpoints/b-1.checkpoint")));
}

TEST_F(CheckpointStoreTest, WhatWasHandedOutIsTakenBackThoughNothingCanBeRead) {
  FaultyFileSystem faulty;
  ASSERT_OK_AND_ASSIGN(const auto store,
                       CheckpointStore::Open(&faulty, folder_.File("checkpoints"), trainer_));
  ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("a-1.checkpoint"));
  WriteTo(path, "step 4");
  faulty.FailOpens("checkpoints/asked", 1);

  store->TakeBack();

  EXPECT_EQ(TextAt(folder_.File("checkpoints/a-1.checkpoint")), "step 4");
}

TEST_F(CheckpointStoreTest, StartThatCannotReadWhatWasHandedOutLeavesItToTheNext) {
  {
    const auto store = Open();
    ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut("a-1.checkpoint"));
    WriteTo(path, "step 4");
  }
  FaultyFileSystem faulty;
  faulty.FailOpens("checkpoints/asked", 1);
  EXPECT_THAT(CheckpointStore::Open(&faulty, folder_.File("checkpoints"), trainer_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Too many open files")));

  Open()->TakeBack();

  EXPECT_EQ(TextAt(folder_.File("checkpoints/a-1.checkpoint")), "step 4");
}

TEST_F(CheckpointStoreTest, OnlyTheNewestAreKept) {
  const auto store = Open();
  for (size_t i = 0; i < limits::kWorkerCheckpointsMax + 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut(absl::StrCat(i, ".checkpoint")));
    WriteTo(path, "x");
    fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::seconds(i));
  }
  store->TakeBack();

  EXPECT_FALSE(fs::exists(folder_.File("checkpoints/0.checkpoint")));
  EXPECT_FALSE(fs::exists(folder_.File("checkpoints/1.checkpoint")));
  EXPECT_TRUE(fs::exists(folder_.File("checkpoints/2.checkpoint")));
}

}  // namespace
}  // namespace entente::worker
