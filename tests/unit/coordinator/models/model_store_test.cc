// SPDX-License-Identifier: Apache-2.0
#include "coordinator/models/model_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModelStoreTest : public ::testing::Test {
 protected:
  ModelStoreTest() : store_(*ModelStore::Create(files_, folder_.File("models"))) {}

  // Stores `text` under its digest.
  Digest Add(const std::string& text) {
    const std::string path = store_->TemporaryPath("test");
    EXPECT_THAT(WriteTextFile(files_, path, text), IsOk());
    return *store_->Adopt(path);
  }

  TempFolder folder_;
  FaultyFileSystem files_;
  std::unique_ptr<ModelStore> store_;
};

TEST_F(ModelStoreTest, AdoptedFileIsNamedByItsDigest) {
  const Digest digest = Add("weights");

  EXPECT_EQ(digest, Sha256Of("weights"));
  EXPECT_TRUE(store_->Contains(digest));
  EXPECT_EQ(store_->PathOf(digest), folder_.File("models/" + digest.ToHex()));
  EXPECT_FALSE(files_.Exists(store_->TemporaryPath("test")));
  ASSERT_OK_AND_ASSIGN(const auto file, store_->OpenForRead(digest));
  EXPECT_EQ(file->size_bytes(), 7u);
}

TEST_F(ModelStoreTest, AdoptedFileTakesThePlaceOfADamagedOne) {
  const Digest digest = Add("weights");
  ASSERT_THAT((*files_.OpenForWrite(store_->PathOf(digest)))->WriteAt(0, "WEIGHTS"), IsOk());

  EXPECT_EQ(Add("weights"), digest);

  EXPECT_EQ(*Sha256OfFile(files_, store_->PathOf(digest)), digest);
}

// Its name may be lost with the power, so nobody may count on it.
TEST_F(ModelStoreTest, AFileWhoseFolderCouldNotBeSyncedIsNotStored) {
  const std::string path = store_->TemporaryPath("test");
  ASSERT_THAT(WriteTextFile(files_, path, "weights"), IsOk());
  files_.folder_sync_fails = true;
  EXPECT_THAT(store_->Adopt(path), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(store_->Contains(Sha256Of("weights")));
  files_.folder_sync_fails = false;

  EXPECT_TRUE(store_->Contains(Add("weights")));
}

// Two jobs may end with the very same model, and the first one's journal names it by then.
TEST_F(ModelStoreTest, WhatAnotherHasStoredMeanwhileIsNotTakenAway) {
  const std::string second = store_->TemporaryPath("second");
  ASSERT_THAT(WriteTextFile(files_, second, "weights"), IsOk());
  files_.BeforeSync(second, [this] {
    Add("weights");
    files_.folder_sync_fails = true;
  });

  EXPECT_THAT(store_->Adopt(second), IsOk());

  EXPECT_EQ(*Sha256OfFile(files_, store_->PathOf(Sha256Of("weights"))), Sha256Of("weights"));
  EXPECT_FALSE(files_.Exists(second));
}

// Its name may yet be taken away again: nobody may count on it before that is settled.
TEST_F(ModelStoreTest, NameThatIsBeingGivenIsNotThereYet) {
  const std::string first = store_->TemporaryPath("first");
  ASSERT_THAT(WriteTextFile(files_, first, "weights"), IsOk());
  const std::string second = store_->TemporaryPath("second");
  ASSERT_THAT(WriteTextFile(files_, second, "weights"), IsOk());
  std::atomic<bool> second_is_done = false;
  std::thread other;
  files_.AfterRename(store_->PathOf(Sha256Of("weights")), [&] {
    other = std::thread([&] {
      EXPECT_THAT(store_->Adopt(second), IsOk());
      second_is_done = true;
    });
    absl::SleepFor(absl::Milliseconds(200));
    EXPECT_FALSE(second_is_done);
  });

  EXPECT_THAT(store_->Adopt(first), IsOk());
  ASSERT_TRUE(other.joinable());
  other.join();

  EXPECT_FALSE(files_.Exists(second));
}

TEST_F(ModelStoreTest, AStoreWhoseFolderCannotBeSyncedIsNotOpened) {
  files_.folder_sync_fails = true;

  EXPECT_THAT(ModelStore::Create(files_, folder_.File("models")),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ModelStoreTest, StoringTheSameBytesTwiceIsStoringThemOnce) {
  const Digest digest = Add("weights");
  EXPECT_EQ(Add("weights"), digest);
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.File("models")));
  EXPECT_EQ(names.size(), 1u);
}

TEST_F(ModelStoreTest, ReceivedFileIsStoredWhenWholeAndRight) {
  const Digest digest = Sha256Of("weights");
  {
    ASSERT_OK_AND_ASSIGN(const auto incoming, store_->Receive(digest, 7, 0));
    ASSERT_THAT(incoming->Append(0, "weig"), IsOk());
  }
  EXPECT_FALSE(store_->Contains(digest));

  ASSERT_OK_AND_ASSIGN(const auto incoming, store_->Receive(digest, 7, 0));
  EXPECT_EQ(incoming->offset(), 4u);
  ASSERT_THAT(incoming->Append(4, "hts"), IsOk());
  ASSERT_THAT(incoming->Verify(digest), IsOk());
  ASSERT_THAT(incoming->Commit(), IsOk());

  EXPECT_TRUE(store_->Contains(digest));
}

TEST_F(ModelStoreTest, SecondReceiverOfTheSameFileIsTurnedAway) {
  const Digest digest = Sha256Of("weights");
  {
    ASSERT_OK_AND_ASSIGN(const auto incoming, store_->Receive(digest, 7, 0));
    EXPECT_THAT(store_->Receive(digest, 7, 0),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr(digest.ToHex())));
  }
  EXPECT_THAT(store_->Receive(digest, 7, 0), IsOk());
}

TEST_F(ModelStoreTest, OldPartsAreRemovedAndTheOldestOfTooMany) {
  const Digest digest = Add("weights");
  const absl::Time now = absl::Now();
  for (const auto& [name, hours] :
       {std::pair("a", 30), std::pair("b", 3), std::pair("c", 4), std::pair("d", 2)}) {
    const std::string part = folder_.Write(std::string("models/") + name + ".part", "x");
    std::filesystem::last_write_time(
        part, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  }

  ASSERT_OK_AND_ASSIGN(const ModelStore::Parts parts,
                       store_->RemoveParts(now - absl::Hours(24), /*kept_max=*/2));

  EXPECT_THAT(parts.removed, ElementsAre(folder_.File("models/a"), folder_.File("models/c")));
  EXPECT_THAT(parts.kept, ElementsAre(folder_.File("models/b"), folder_.File("models/d")));
  EXPECT_FALSE(files_.Exists(folder_.File("models/a.part")));
  EXPECT_FALSE(files_.Exists(folder_.File("models/c.part")));
  EXPECT_TRUE(files_.Exists(folder_.File("models/b.part")));
  EXPECT_TRUE(store_->Contains(digest));
}

TEST_F(ModelStoreTest, PartThatCannotBeRemovedIsKeptAndTheOthersAreTold) {
  for (const auto& [name, hours] : {std::pair("a", 3), std::pair("b", 2), std::pair("c", 1)}) {
    const std::string part = folder_.Write(std::string("models/") + name + ".part", "x");
    std::filesystem::last_write_time(
        part, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  files_.FailChange(2, FaultyFileSystem::Failure::kOnce);

  ASSERT_OK_AND_ASSIGN(const ModelStore::Parts parts,
                       store_->RemoveParts(absl::InfiniteFuture(), /*kept_max=*/0));

  EXPECT_THAT(parts.removed, ElementsAre(folder_.File("models/a"), folder_.File("models/c")));
  EXPECT_THAT(parts.kept, ElementsAre(folder_.File("models/b")));
  EXPECT_TRUE(files_.Exists(folder_.File("models/b.part")));
}

TEST_F(ModelStoreTest, PartOfAFileThatIsBeingReceivedStays) {
  const Digest digest = Sha256Of("weights");
  ASSERT_OK_AND_ASSIGN(const auto incoming, store_->Receive(digest, 7, 0));
  ASSERT_THAT(incoming->Append(0, "weig"), IsOk());

  ASSERT_OK_AND_ASSIGN(const ModelStore::Parts parts,
                       store_->RemoveParts(absl::InfiniteFuture(), /*kept_max=*/0));

  EXPECT_THAT(parts.removed, ElementsAre());
  EXPECT_THAT(parts.kept, ElementsAre());
  ASSERT_THAT(incoming->Append(4, "hts"), IsOk());
  EXPECT_THAT(incoming->Verify(digest), IsOk());
}

TEST_F(ModelStoreTest, MissingFileIsNotFoundByDigest) {
  const Digest digest = Sha256Of("nothing");
  EXPECT_FALSE(store_->Contains(digest));
  EXPECT_THAT(store_->OpenForRead(digest),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(digest.ToHex())));
  EXPECT_THAT(store_->OpenModel(digest),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(digest.ToHex())));
}

TEST_F(ModelStoreTest, ModelIsOpenedAsSafetensors) {
  ASSERT_OK_AND_ASSIGN(const auto model, store_->OpenModel(Add(SafetensorsHeader(Layout()))));
  EXPECT_TRUE(model->layout().tensors().empty());
  EXPECT_THAT(store_->OpenModel(Add("no model")), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ModelStoreTest, TemporaryPathsStayInTheFolderAndDistinct) {
  const std::string hostile = store_->TemporaryPath("../../etc/passwd");
  EXPECT_EQ(hostile, folder_.File("models/tmp-%2e%2e%2f%2e%2e%2fetc%2fpasswd"));
  EXPECT_NE(store_->TemporaryPath("a/b"), store_->TemporaryPath("a_b"));
  EXPECT_NE(store_->TemporaryPath("a/b"), store_->TemporaryPath("a%2fb"));
}

TEST_F(ModelStoreTest, RestartRemovesTemporaryFilesAndKeepsTheRest) {
  const Digest digest = Add("weights");
  const std::string left_over = store_->TemporaryPath("crashed");
  ASSERT_THAT(WriteTextFile(files_, left_over, "half a mod"), IsOk());
  const Digest cut = Sha256Of("cut off");
  {
    ASSERT_OK_AND_ASSIGN(const auto incoming, store_->Receive(cut, 7, 0));
    ASSERT_THAT(incoming->Append(0, "cut"), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto again, ModelStore::Create(files_, folder_.File("models")));

  EXPECT_FALSE(files_.Exists(left_over));
  EXPECT_TRUE(again->Contains(digest));
  ASSERT_OK_AND_ASSIGN(const auto incoming, again->Receive(cut, 7, 0));
  EXPECT_EQ(incoming->offset(), 3u);
}

TEST_F(ModelStoreTest, FailedSyncOrRenameStoresNothing) {
  const std::string path = store_->TemporaryPath("test");
  ASSERT_THAT(WriteTextFile(files_, path, "weights"), IsOk());

  files_.sync_fails = true;
  EXPECT_THAT(store_->Adopt(path), StatusIs(absl::StatusCode::kUnavailable));
  files_.sync_fails = false;
  files_.rename_fails = true;
  EXPECT_THAT(store_->Adopt(path), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(store_->Contains(Sha256Of("weights")));
  EXPECT_TRUE(files_.Exists(path));

  files_.rename_fails = false;
  EXPECT_THAT(store_->Adopt(path), IsOk());
}

TEST_F(ModelStoreTest, UniquePrefixFindsTheFile) {
  const Digest digest = Add("weights");
  ASSERT_OK_AND_ASSIGN(const Digest found, store_->Find(digest.ToHex().substr(0, 8)));
  EXPECT_EQ(found, digest);
  ASSERT_OK_AND_ASSIGN(const Digest whole, store_->Find(digest.ToHex()));
  EXPECT_EQ(whole, digest);
}

TEST_F(ModelStoreTest, PrefixThatIsShortUnknownOrAmbiguousIsRefused) {
  folder_.Write("models/" + std::string(64, 'a'), "");
  folder_.Write("models/" + std::string(63, 'a') + "b", "");
  folder_.Write("models/" + std::string(64, 'c') + ".part", "");

  EXPECT_THAT(store_->Find("aaaaaaa"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 8 digits")));
  EXPECT_THAT(store_->Find("aaaaaaaa"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2 models have")));
  EXPECT_THAT(store_->Find("cccccccc"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Find("../../etc/passwd"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace entente::models
