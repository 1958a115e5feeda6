// SPDX-License-Identifier: Apache-2.0
#include "common/base/file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace {

// How often this program told the kernel to write to the disk.
struct SyncCounts {
  std::atomic<int> files{0};
  std::atomic<int> folders{0};
  std::atomic<int> writebacks{0};  // Begun, and not waited for.
};
SyncCounts sync_counts;

}  // namespace

// In the place of the C library's: these count, and do the same.
extern "C" int fdatasync(int fd) {
  ++sync_counts.files;
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  struct stat info = {};
  const bool is_folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
  ++(is_folder ? sync_counts.folders : sync_counts.files);
  return static_cast<int>(syscall(SYS_fsync, fd));
}
extern "C" int sync_file_range(int fd, off64_t offset, off64_t count, unsigned int flags) {
  ++sync_counts.writebacks;
  return static_cast<int>(syscall(SYS_sync_file_range, fd, offset, count, flags));
}

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class FileSystemTest : public ::testing::Test {
 protected:
  std::string Text(const std::string& path) { return *ReadTextFile(files_, path, 1 << 20); }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(FileSystemTest, BytesAreReadWhereTheyWereWritten) {
  const std::string path = folder_.File("a");
  ASSERT_OK_AND_ASSIGN(const auto written, files_.OpenForWrite(path));
  ASSERT_THAT(written->WriteAt(6, "world"), IsOk());
  ASSERT_THAT(written->WriteAt(0, "hello "), IsOk());
  ASSERT_THAT(written->Sync(), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto read, files_.OpenForRead(path));
  std::string middle(5, '\0');
  ASSERT_THAT(read->ReadAt(3, absl::MakeSpan(middle.data(), middle.size())), IsOk());

  EXPECT_EQ(middle, "lo wo");
  EXPECT_EQ(read->size_bytes(), 11U);
}

TEST_F(FileSystemTest, ReadingPastTheEndIsOutOfRange) {
  const std::string path = folder_.Write("a", "12345");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForRead(path));
  std::string buffer(4, '\0');

  EXPECT_THAT(file->ReadAt(2, absl::MakeSpan(buffer.data(), buffer.size())),
              StatusIs(absl::StatusCode::kOutOfRange,
                       AllOf(HasSubstr(path), HasSubstr("ends at byte 5, before 6"))));
}

TEST_F(FileSystemTest, OpeningForWritingKeepsWhatIsThere) {
  const std::string path = folder_.Write("a", "12345");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(path));

  ASSERT_THAT(file->WriteAt(1, "x"), IsOk());

  EXPECT_EQ(Text(path), "1x345");
}

TEST_F(FileSystemTest, TruncationCutsAndLengthensWithZeros) {
  const std::string path = folder_.Write("a", "12345");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(path));

  ASSERT_THAT(file->Truncate(2), IsOk());
  EXPECT_EQ(Text(path), "12");
  ASSERT_THAT(file->Truncate(4), IsOk());
  EXPECT_EQ(Text(path), std::string("12\0\0", 4));
}

TEST_F(FileSystemTest, ReaderSeesWhatIsWrittenAfterItWasOpened) {
  const std::string path = folder_.Write("a", "12345");
  ASSERT_OK_AND_ASSIGN(const auto read, files_.OpenForRead(path));
  ASSERT_OK_AND_ASSIGN(const auto written, files_.OpenForWrite(path));

  ASSERT_THAT(written->WriteAt(4, "abc"), IsOk());

  std::string buffer(3, '\0');
  ASSERT_THAT(read->ReadAt(4, absl::MakeSpan(buffer.data(), buffer.size())), IsOk());
  EXPECT_EQ(buffer, "abc");
}

TEST_F(FileSystemTest, FoldersAreListedApartFromFilesAndRemovedWithAllInThem) {
  folder_.Write("b/inner/x", "1");
  folder_.Write("a/y", "1");
  folder_.Write("c", "1");

  EXPECT_THAT(*ListFolders(files_, folder_.path()), ElementsAre("a", "b"));
  EXPECT_THAT(*files_.ListFiles(folder_.path()), ElementsAre("c"));
  ASSERT_THAT(files_.RemoveTree(folder_.File("b")), IsOk());
  ASSERT_THAT(files_.RemoveTree(folder_.File("was never there")), IsOk());

  EXPECT_THAT(*ListFolders(files_, folder_.path()), ElementsAre("a"));
}

TEST_F(FileSystemTest, LockedFileIsRefusedAndItsHolderNamed) {
  const std::string path = folder_.File("lock");
  {
    ASSERT_OK_AND_ASSIGN(const auto held, files_.Lock(path, LockKind::kExclusive));

    for (const LockKind kind : {LockKind::kExclusive, LockKind::kShared}) {
      EXPECT_THAT(files_.Lock(path, kind),
                  StatusIs(absl::StatusCode::kFailedPrecondition,
                           HasSubstr(path + " is locked by process " + std::to_string(getpid()))));
    }
  }
  EXPECT_THAT(files_.Lock(path, LockKind::kExclusive), IsOk());
}

TEST_F(FileSystemTest, SharedLocksKeepOnlyAnExclusiveOneAway) {
  const std::string path = folder_.Write("lock", "");
  ASSERT_OK_AND_ASSIGN(const auto first, files_.Lock(path, LockKind::kShared));
  ASSERT_OK_AND_ASSIGN(const auto second, files_.Lock(path, LockKind::kShared));

  EXPECT_THAT(
      files_.Lock(path, LockKind::kExclusive),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("being read by another process")));
  EXPECT_EQ(Text(path), "");
}

TEST_F(FileSystemTest, SharedLockMakesNoFile) {
  EXPECT_THAT(files_.Lock(folder_.File("lock"), LockKind::kShared), StatusIs(kNotFound));
  EXPECT_FALSE(files_.Exists(folder_.File("lock")));
}

TEST_F(FileSystemTest, MissingFileIsNotFoundAndNamed) {
  const std::string path = folder_.File("missing");

  EXPECT_THAT(files_.OpenForRead(path), StatusIs(kNotFound, HasSubstr(path)));
  EXPECT_THAT(files_.SizeBytes(path), StatusIs(kNotFound, HasSubstr(path)));
  EXPECT_THAT(files_.FreeBytes(path), StatusIs(kNotFound, HasSubstr(path)));
  EXPECT_THAT(files_.ListFiles(path), StatusIs(kNotFound, HasSubstr(path)));
  EXPECT_THAT(files_.Rename(path, folder_.File("b")), StatusIs(kNotFound));
  EXPECT_FALSE(files_.Exists(path));
}

TEST_F(FileSystemTest, MissingFolderIsNotFoundOnWriting) {
  EXPECT_THAT(files_.OpenForWrite(folder_.File("missing/a")),
              StatusIs(kNotFound, HasSubstr("missing/a")));
}

TEST_F(FileSystemTest, FolderIsNoFile) {
  EXPECT_THAT(files_.OpenForRead(folder_.path()),
              StatusIs(kUnavailable, HasSubstr("not a regular file")));
  EXPECT_THAT(files_.OpenForWrite(folder_.path()), StatusIs(kUnavailable));
}

TEST_F(FileSystemTest, RenameReplaces) {
  const std::string from = folder_.Write("from", "new");
  const std::string to = folder_.Write("to", "old");

  ASSERT_THAT(files_.Rename(from, to), IsOk());

  EXPECT_EQ(Text(to), "new");
  EXPECT_FALSE(files_.Exists(from));
}

TEST_F(FileSystemTest, RemovingTwiceIsFine) {
  const std::string path = folder_.Write("a", "");

  EXPECT_THAT(files_.Remove(path), IsOk());
  EXPECT_THAT(files_.Remove(path), IsOk());
  EXPECT_FALSE(files_.Exists(path));
}

TEST_F(FileSystemTest, RemovingAFolderIsRefused) {
  EXPECT_THAT(files_.Remove(folder_.path()), StatusIs(kUnavailable, HasSubstr("cannot remove")));
}

TEST_F(FileSystemTest, FoldersAreMadeWithTheirParents) {
  ASSERT_THAT(files_.CreateFolder(folder_.File("a/b/c")), IsOk());

  EXPECT_TRUE(files_.Exists(folder_.File("a/b/c")));
  EXPECT_THAT(files_.CreateFolder(folder_.File("a/b/c")), IsOk());
}

TEST_F(FileSystemTest, FolderCannotBeMadeInAFile) {
  folder_.Write("a", "");

  EXPECT_THAT(files_.CreateFolder(folder_.File("a/b")), StatusIs(kNotFound, HasSubstr("a/b")));
}

TEST_F(FileSystemTest, FileIsNotTakenForTheFolderThatWasToBeMade) {
  const std::string file = folder_.Write("a", "text");
  PosixFileSystem unsynced(Durability::kProcess);

  for (PosixFileSystem* const files : {&files_, &unsynced}) {
    EXPECT_THAT(files->CreateFolder(file),
                StatusIs(kUnavailable, HasSubstr(file + ": there is a file of that name")));
  }
  EXPECT_EQ(*ReadTextFile(files_, file, 100), "text");
}

TEST_F(FileSystemTest, ListHasRegularFilesOnlyInOrder) {
  folder_.Write("b", "");
  folder_.Write("a", "");
  folder_.Write("folder/c", "");

  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.path()));

  EXPECT_THAT(names, ElementsAre("a", "b"));
}

TEST_F(FileSystemTest, EveryNameIsListedAndSaysWhatItIs) {
  folder_.Write("file", "");
  folder_.Write("folder/c", "");
  std::filesystem::create_symlink("/nowhere", folder_.File("link"));

  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListNames(folder_.path()));
  ASSERT_OK_AND_ASSIGN(const PathInfo file, files_.LookAt(folder_.File("file")));
  ASSERT_OK_AND_ASSIGN(const PathInfo folder, files_.LookAt(folder_.File("folder")));
  ASSERT_OK_AND_ASSIGN(const PathInfo link, files_.LookAt(folder_.File("link")));

  EXPECT_THAT(names, ElementsAre("file", "folder", "link"));
  EXPECT_EQ(file.kind, PathInfo::Kind::kFile);
  EXPECT_GT(file.modified_at, absl::UnixEpoch());
  EXPECT_EQ(folder.kind, PathInfo::Kind::kFolder);
  EXPECT_EQ(link.kind, PathInfo::Kind::kOther);
  EXPECT_THAT(files_.LookAt(folder_.File("none")), StatusIs(kNotFound));
  EXPECT_THAT(files_.ListNames(folder_.File("none")), StatusIs(kNotFound));
}

TEST_F(FileSystemTest, ATreeIsRemovedWhole) {
  folder_.Write("folder/deep/c", "");
  folder_.Write("file", "");

  EXPECT_THAT(files_.RemoveTree(folder_.File("folder")), IsOk());
  EXPECT_THAT(files_.RemoveTree(folder_.File("file")), IsOk());
  EXPECT_THAT(files_.RemoveTree(folder_.File("none")), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListNames(folder_.path()));
  EXPECT_TRUE(names.empty());
}

TEST_F(FileSystemTest, SizesAreInBytes) {
  const std::string path = folder_.Write("a", "12345");

  ASSERT_OK_AND_ASSIGN(const uint64_t size, files_.SizeBytes(path));
  ASSERT_OK_AND_ASSIGN(const uint64_t free, files_.FreeBytes(folder_.path()));

  EXPECT_EQ(size, 5U);
  EXPECT_GT(free, 0U);
}

TEST_F(FileSystemTest, TextOverItsLimitIsRefused) {
  const std::string path = folder_.Write("a", "12345");

  EXPECT_THAT(ReadTextFile(files_, path, 5), IsOk());
  EXPECT_THAT(ReadTextFile(files_, path, 4),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(path + " has 5 bytes; at most 4 are read")));
}

TEST_F(FileSystemTest, TextIsReplacedWhole) {
  const std::string path = folder_.Write("a", "a long old text");

  ASSERT_THAT(WriteTextFile(files_, path, "new"), IsOk());

  EXPECT_EQ(Text(path), "new");
  ASSERT_OK_AND_ASSIGN(const auto names, files_.ListFiles(folder_.path()));
  EXPECT_THAT(names, ElementsAre("a"));
}

TEST_F(FileSystemTest, LeftoverOfAnInterruptedWriteIsGone) {
  folder_.Write("a.tmp", "half of a very long text");

  ASSERT_THAT(WriteTextFile(files_, folder_.File("a"), "new"), IsOk());

  EXPECT_EQ(Text(folder_.File("a")), "new");
}

TEST_F(FileSystemTest, FailedWriteLeavesTheOldText) {
  const std::string path = folder_.Write("a", "old");
  FaultyFileSystem full;
  full.bytes_left = 2;
  FaultyFileSystem unsynced;
  unsynced.sync_fails = true;
  FaultyFileSystem unnamed;
  unnamed.rename_fails = true;

  EXPECT_THAT(WriteTextFile(full, path, "new"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("free some space")));
  EXPECT_FALSE(WriteTextFile(unsynced, path, "new").ok());
  EXPECT_FALSE(WriteTextFile(unnamed, path, "new").ok());

  EXPECT_EQ(Text(path), "old");
}

TEST_F(FileSystemTest, TextThatIsThereAlreadyNeedsNoRoom) {
  const std::string path = folder_.Write("a", "same");
  FaultyFileSystem unwritable;
  unwritable.FailChange(1, FaultyFileSystem::Failure::kForGood);

  EXPECT_THAT(WriteTextFileIfChanged(unwritable, path, "same"), IsOk());
  EXPECT_FALSE(unwritable.HasFailed()) << "something was changed";

  for (const char* const text : {"sam", "other", "same and more", ""}) {
    EXPECT_FALSE(WriteTextFileIfChanged(unwritable, path, text).ok()) << text;
    EXPECT_THAT(WriteTextFileIfChanged(files_, path, text), IsOk());
    EXPECT_EQ(Text(path), text);
  }
  EXPECT_THAT(WriteTextFileIfChanged(files_, folder_.File("new"), "text"), IsOk());
  EXPECT_EQ(Text(folder_.File("new")), "text");
}

class DurabilityTest : public ::testing::TestWithParam<Durability> {
 protected:
  DurabilityTest() {
    sync_counts.files = 0;
    sync_counts.folders = 0;
    sync_counts.writebacks = 0;
  }

  const bool waits_ = GetParam() == Durability::kPowerLoss;
  const TempFolder folder_;
  PosixFileSystem files_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, DurabilityTest,
                         ::testing::Values(Durability::kPowerLoss, Durability::kProcess));

TEST_P(DurabilityTest, FileIsOnTheDiskWhenItsSyncReturnsIfThePowerMayGo) {
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(folder_.File("a")));
  ASSERT_THAT(file->WriteAt(0, "text"), IsOk());
  EXPECT_EQ(sync_counts.files.load(), 0);

  ASSERT_THAT(file->Sync(), IsOk());

  EXPECT_EQ(sync_counts.files.load(), waits_ ? 1 : 0);
}

TEST_P(DurabilityTest, DiskBeginsWhileBytesArriveIfThePowerMayGo) {
  const std::string mebibyte(1 << 20, 'x');
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite(folder_.File("a")));

  for (int i = 0; i < 16; ++i) {
    ASSERT_THAT(file->WriteAt(i * mebibyte.size(), mebibyte), IsOk());
  }

  EXPECT_EQ(sync_counts.writebacks.load(), waits_ ? 2 : 0);
  EXPECT_EQ(sync_counts.files.load(), 0);
}

TEST_P(DurabilityTest, NamesAreOnTheDiskIfThePowerMayGo) {
  const std::string part = folder_.Write("a.part", "text");

  ASSERT_THAT(files_.Rename(part, folder_.File("a")), IsOk());
  EXPECT_EQ(sync_counts.folders.load(), waits_ ? 1 : 0);
  ASSERT_THAT(files_.SyncFolder(folder_.path()), IsOk());
  EXPECT_EQ(sync_counts.folders.load(), waits_ ? 2 : 0);
  ASSERT_THAT(files_.CreateFolder(folder_.File("b")), IsOk());
  EXPECT_EQ(sync_counts.folders.load() > 2, waits_);
}

TEST_F(FileSystemTest, FullDiskIsResourceExhausted) {
  ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForWrite("/dev/full"));

  EXPECT_THAT(file->WriteAt(0, "x"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("free some space")));
}

}  // namespace
}  // namespace entente
