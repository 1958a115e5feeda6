// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/incoming_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kText[] = "the bytes of a model";
constexpr uint64_t kSize = sizeof(kText) - 1;

class IncomingFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<IncomingFile>> Open(uint64_t total_bytes = kSize,
                                                     uint64_t free_bytes_min = 0) {
    return IncomingFile::Open(files_, path_, total_bytes, free_bytes_min);
  }
  std::string Content(const std::string& path) {
    const auto text = ReadTextFile(files_, path, 1000);
    return text.ok() ? *text : std::string(text.status().message());
  }

  TempFolder folder_;
  FaultyFileSystem files_;
  const std::string path_ = folder_.File("model");
  const std::string part_ = folder_.File("model.part");
  const Digest digest_ = Sha256Of(kText);
};

TEST_F(IncomingFileTest, WholeFileIsRenamedIntoPlace) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, "the bytes "), IsOk());
  EXPECT_EQ(file->offset(), 10u);
  ASSERT_THAT(file->Append(10, "of a model"), IsOk());
  ASSERT_THAT(file->Verify(digest_), IsOk());
  EXPECT_FALSE(files_.Exists(path_));

  ASSERT_THAT(file->Commit(), IsOk());

  EXPECT_EQ(Content(path_), kText);
  EXPECT_FALSE(files_.Exists(part_));
}

// Its name may be lost with the power, so nobody may count on it.
TEST_F(IncomingFileTest, AFileWhoseFolderCouldNotBeSyncedIsNotInPlace) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, kText), IsOk());
  ASSERT_THAT(file->Verify(digest_), IsOk());
  files_.folder_sync_fails = true;

  EXPECT_THAT(file->Commit(), StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_FALSE(files_.Exists(path_));
}

TEST_F(IncomingFileTest, BareNameIsInTheCurrentFolder) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  PosixFileSystem files;

  const auto incoming = IncomingFile::Open(files, "bare", 4, 0);
  std::filesystem::current_path(before);

  EXPECT_THAT(incoming, IsOk());
}

TEST_F(IncomingFileTest, EmptyFileCanArrive) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open(0));
  ASSERT_THAT(file->Verify(Sha256Of("")), IsOk());
  ASSERT_THAT(file->Commit(), IsOk());
  EXPECT_EQ(Content(path_), "");
}

TEST_F(IncomingFileTest, CutTransferContinuesWhereItStood) {
  {
    ASSERT_OK_AND_ASSIGN(const auto first, Open());
    ASSERT_THAT(first->Append(0, "the byt"), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto second, Open());

  EXPECT_EQ(second->offset(), 7u);
  ASSERT_THAT(second->Append(7, "es of a model"), IsOk());
  EXPECT_THAT(second->Verify(digest_), IsOk());
}

TEST_F(IncomingFileTest, WrongBytesOfAnEarlierTryAreFoundOut) {
  folder_.Write("model.part", "THE BYT");
  {
    ASSERT_OK_AND_ASSIGN(const auto file, Open());
    ASSERT_THAT(file->Append(7, "es of a model"), IsOk());
    EXPECT_THAT(file->Verify(digest_), StatusIs(absl::StatusCode::kDataLoss));
  }

  ASSERT_OK_AND_ASSIGN(const auto again, Open());

  EXPECT_EQ(again->offset(), 0u);
  ASSERT_THAT(again->Append(0, kText), IsOk());
  EXPECT_THAT(again->Verify(digest_), IsOk());
}

TEST_F(IncomingFileTest, PartLongerThanTheFileIsDropped) {
  folder_.Write("model.part", "something that is far longer than what was announced now");

  ASSERT_OK_AND_ASSIGN(const auto file, Open());

  EXPECT_EQ(file->offset(), 0u);
  ASSERT_THAT(file->Append(0, kText), IsOk());
  ASSERT_THAT(file->Verify(digest_), IsOk());
  ASSERT_THAT(file->Commit(), IsOk());
  EXPECT_EQ(Content(path_), kText);
}

TEST_F(IncomingFileTest, WhoOnlyAsksForTheOffsetChangesNothing) {
  ASSERT_THAT(Open(), IsOk());
  EXPECT_FALSE(files_.Exists(part_));
  folder_.Write("model.part", "something that is far longer than what was announced now");

  EXPECT_THAT(Open(), IsOk());

  EXPECT_EQ(Content(part_), "something that is far longer than what was announced now");
}

TEST_F(IncomingFileTest, PartThatIsWholeAlreadyNeedsNoMoreBytes) {
  folder_.Write("model.part", kText);
  ASSERT_OK_AND_ASSIGN(const auto file, Open());

  EXPECT_THAT(file->Verify(digest_), IsOk());

  EXPECT_THAT(file->Commit(), IsOk());
  EXPECT_EQ(Content(path_), kText);
  EXPECT_THAT(file->Append(kSize, ""), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(IncomingFileTest, FolderThatIsGoneIsNotFound) {
  ASSERT_THAT(files_.CreateFolder(folder_.File("round")), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto file,
                       IncomingFile::Open(files_, folder_.File("round/update"), kSize, 0));
  ASSERT_THAT(files_.RemoveTree(folder_.File("round")), IsOk());

  EXPECT_THAT(file->Append(0, kText), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(IncomingFileTest, ChunkAtAnotherOffsetIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, "the "), IsOk());

  EXPECT_THAT(file->Append(5, "x"),
              StatusIs(absl::StatusCode::kOutOfRange,
                       HasSubstr("a chunk for offset 5 came; the next belongs at 4")));
  EXPECT_THAT(file->Append(0, "the "), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(Content(part_), "the ");
}

TEST_F(IncomingFileTest, ChunkPastTheEndIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());

  EXPECT_THAT(file->Append(0, std::string(kSize + 1, 'x')),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("passes the end at 20")));
  EXPECT_FALSE(files_.Exists(part_));
}

TEST_F(IncomingFileTest, IncompleteFileIsNotVerified) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, "the "), IsOk());

  EXPECT_THAT(file->Verify(digest_),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("only 4 of 20 bytes")));
  EXPECT_TRUE(files_.Exists(part_));
}

TEST_F(IncomingFileTest, AnotherDigestIsDataLossAndDropsThePart) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, kText), IsOk());

  EXPECT_THAT(file->Verify(Sha256Of("other")),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(digest_.ToHex()), HasSubstr(Sha256Of("other").ToHex()))));
  EXPECT_FALSE(files_.Exists(part_));
  EXPECT_THAT(file->Append(0, kText), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(file->Verify(digest_), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(IncomingFileTest, TooLittleFreeSpaceIsSaidBeforeAnythingIsWritten) {
  files_.bytes_left = 100;

  EXPECT_THAT(Open(kSize, 81),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("20 bytes are still to come"), HasSubstr("100 are free"),
                             HasSubstr("81 must stay free"))));
  EXPECT_FALSE(files_.Exists(part_));
  EXPECT_THAT(Open(kSize, 80), IsOk());
}

TEST_F(IncomingFileTest, HugeDeclaredSizeDoesNotOverflowTheSpaceCheck) {
  EXPECT_THAT(Open(~uint64_t{0}, ~uint64_t{0}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(IncomingFileTest, FullDiskKeepsThePartAndALaterTryContinues) {
  {
    ASSERT_OK_AND_ASSIGN(const auto file, Open());
    files_.bytes_left = 10;
    ASSERT_THAT(file->Append(0, "the bytes "), IsOk());
    EXPECT_THAT(file->Append(10, "of a model"), StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_EQ(file->offset(), 10u);
  }
  EXPECT_FALSE(files_.Exists(path_));

  files_.bytes_left = 1000;
  ASSERT_OK_AND_ASSIGN(const auto again, Open());
  EXPECT_EQ(again->offset(), 10u);
  ASSERT_THAT(again->Append(10, "of a model"), IsOk());
  ASSERT_THAT(again->Verify(digest_), IsOk());
  ASSERT_THAT(again->Commit(), IsOk());
  EXPECT_EQ(Content(path_), kText);
}

TEST_F(IncomingFileTest, SameChunkCanBeTriedAgainAfterAFullDisk) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  files_.bytes_left = 5;
  ASSERT_THAT(file->Append(0, kText), StatusIs(absl::StatusCode::kResourceExhausted));
  files_.bytes_left = 1000;

  ASSERT_THAT(file->Append(0, kText), IsOk());

  EXPECT_THAT(file->Verify(digest_), IsOk());
}

TEST_F(IncomingFileTest, PartWhoseDigestIsCheckedIsReadBeforeItIsSynced) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, kText), IsOk());
  files_.sync_fails = true;

  ASSERT_THAT(file->CheckDigest(digest_), IsOk());
  EXPECT_EQ(Content(part_), kText);

  EXPECT_THAT(file->Sync(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(files_.Exists(part_));
}

TEST_F(IncomingFileTest, FailedSyncDropsThePart) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, kText), IsOk());
  files_.sync_fails = true;

  EXPECT_THAT(file->Verify(digest_), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(files_.Exists(part_));
}

TEST_F(IncomingFileTest, FailedRenameLeavesAPartThatCommitsLater) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, kText), IsOk());
  ASSERT_THAT(file->Verify(digest_), IsOk());
  files_.rename_fails = true;
  EXPECT_THAT(file->Commit(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(files_.Exists(path_));
  EXPECT_TRUE(files_.Exists(part_));

  files_.rename_fails = false;

  EXPECT_THAT(file->Commit(), IsOk());
  EXPECT_EQ(Content(path_), kText);
}

TEST_F(IncomingFileTest, DiscardRemovesThePart) {
  ASSERT_OK_AND_ASSIGN(const auto file, Open());
  ASSERT_THAT(file->Append(0, "the "), IsOk());
  ASSERT_THAT(file->Discard(), IsOk());
  EXPECT_FALSE(files_.Exists(part_));
}

TEST_F(IncomingFileTest, LeaseIsHeldUntilTheFileIsDestroyed) {
  PathLeases leases;
  {
    ASSERT_OK_AND_ASSIGN(PathLease lease, leases.Take(path_, "model"));
    ASSERT_OK_AND_ASSIGN(const auto file,
                         IncomingFile::Open(files_, path_, kSize, 0, std::move(lease)));
    EXPECT_THAT(leases.Take(path_, "model"), StatusIs(absl::StatusCode::kUnavailable));
  }
  EXPECT_THAT(leases.Take(path_, "model"), IsOk());
}

}  // namespace
}  // namespace entente
