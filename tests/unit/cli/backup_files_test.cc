// SPDX-License-Identifier: Apache-2.0
#include "cli/backup_files.h"

#include <gmock/gmock.h>

#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::BackupMessage FileOf(const std::string& path, const std::string& bytes) {
  v1::BackupMessage message;
  message.mutable_file()->set_path(path);
  message.mutable_file()->set_total_bytes(bytes.size());
  message.mutable_file()->set_digest(Sha256Of(bytes).Raw());
  return message;
}

v1::BackupMessage DataOf(const std::string& bytes) {
  v1::BackupMessage message;
  message.set_data(bytes);
  return message;
}

v1::BackupMessage EndOf(uint64_t file_count) {
  v1::BackupMessage message;
  message.mutable_end()->set_file_count(file_count);
  return message;
}

class BackupFilesTest : public ::testing::Test {
 protected:
  std::unique_ptr<BackupFiles> Create(std::map<Digest, std::string> present = {}) {
    auto backup = BackupFiles::Create(files_, folder_.File("copy"), std::move(present));
    EXPECT_THAT(backup, IsOk());
    return backup.ok() ? *std::move(backup) : nullptr;
  }
  std::string Text(const std::string& name) {
    return *ReadTextFile(files_, folder_.File("copy/" + name), 1000);
  }

  const TempFolder folder_;
  FaultyFileSystem files_;
};

TEST_F(BackupFilesTest, JournalTakesItsPlaceWhenAllElseIsThere) {
  const auto backup = Create();
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "journal")), IsOk());
  ASSERT_THAT(backup->Take(DataOf("jour")), IsOk());
  ASSERT_THAT(backup->Take(DataOf("nal")), IsOk());
  ASSERT_THAT(backup->Take(FileOf("spool/j/0-1/u", "update")), IsOk());
  ASSERT_THAT(backup->Take(DataOf("update")), IsOk());
  ASSERT_THAT(backup->Take(EndOf(2)), IsOk());
  EXPECT_FALSE(files_.Exists(folder_.File("copy/journal.sqlite")));

  ASSERT_THAT(backup->Finish(), IsOk());

  EXPECT_EQ(Text("journal.sqlite"), "journal");
  EXPECT_EQ(Text("spool/j/0-1/u"), "update");
  EXPECT_EQ(backup->received_bytes(), 13U);
}

TEST_F(BackupFilesTest, BackupThatWasCutOffHasNoJournal) {
  const auto backup = Create();
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "journal")), IsOk());
  ASSERT_THAT(backup->Take(DataOf("journal")), IsOk());

  EXPECT_THAT(backup->Finish(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cut off")));
  EXPECT_FALSE(files_.Exists(folder_.File("copy/journal.sqlite")));
}

TEST_F(BackupFilesTest, HostileNamesCannotLeaveTheFolder) {
  for (const char* name :
       {"../x", "/x", "models/../../x", "", "models//x", "./x", "a\\b", "a\nb"}) {
    const auto backup = Create();
    ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "j")), IsOk());
    ASSERT_THAT(backup->Take(DataOf("j")), IsOk());
    EXPECT_THAT(backup->Take(FileOf(name, "x")), StatusIs(absl::StatusCode::kInvalidArgument))
        << name;
  }
  EXPECT_FALSE(files_.Exists(folder_.File("x")));
}

TEST_F(BackupFilesTest, OtherBytesThanAnnouncedAreDataLossAndDropped) {
  const auto backup = Create();
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "journal")), IsOk());

  EXPECT_THAT(backup->Take(DataOf("JOURNAL")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("journal.sqlite is damaged")));
  EXPECT_THAT(*files_.ListFiles(folder_.File("copy")), IsEmpty());
}

TEST_F(BackupFilesTest, MessagesOutOfOrderAreRefused) {
  EXPECT_THAT(Create()->Take(DataOf("x")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Create()->Take(v1::BackupMessage()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Create()->Take(FileOf("models/x", "x")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("journal")));
  EXPECT_THAT(Create()->Take(EndOf(1)), StatusIs(absl::StatusCode::kInvalidArgument));
  const auto backup = Create();
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "j")), IsOk());
  EXPECT_THAT(backup->Take(FileOf("models/x", "x")), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(backup->Take(DataOf("too long")), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(BackupFilesTest, DataDirectoryThatIsThereIsNotOverwritten) {
  folder_.Write("copy/journal.sqlite", "precious");

  EXPECT_THAT(BackupFiles::Create(files_, folder_.File("copy"), {}),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("name another folder")));
}

TEST_F(BackupFilesTest, FileThatAnotherJournalLeftIsRefusedAndKept) {
  for (const std::string suffix : {"-wal", "-journal", "-shm"}) {
    const std::string left = "copy/journal.sqlite" + suffix;
    folder_.Write(left, "old");

    EXPECT_THAT(BackupFiles::Create(files_, folder_.File("copy"), {}),
                StatusIs(absl::StatusCode::kAlreadyExists,
                         HasSubstr("journal.sqlite" + suffix + " was left by another journal")));
    EXPECT_EQ(Text("journal.sqlite" + suffix), "old");
    ASSERT_THAT(files_.Remove(folder_.File(left)), IsOk());
  }
}

TEST_F(BackupFilesTest, JournalIsNotPutBesideWhatAppearedWhileTheFilesCame) {
  for (const std::string name : {"journal.sqlite", "journal.sqlite-wal"}) {
    const auto backup = Create();
    ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "journal")), IsOk());
    ASSERT_THAT(backup->Take(DataOf("journal")), IsOk());
    ASSERT_THAT(backup->Take(EndOf(1)), IsOk());
    folder_.Write("copy/" + name, "of another");

    EXPECT_THAT(backup->Finish(), StatusIs(absl::StatusCode::kAlreadyExists));
    EXPECT_EQ(Text(name), "of another");
    ASSERT_THAT(files_.Remove(folder_.File("copy/" + name)), IsOk());
  }
}

TEST_F(BackupFilesTest, FullDiskIsSaid) {
  const auto backup = Create();
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "journal")), IsOk());
  files_.bytes_left = 3;

  EXPECT_THAT(backup->Take(DataOf("journal")), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(BackupFilesTest, StoredFilesCountOnlyIfTheyAreWhatTheirNamesSay) {
  const std::string good = Sha256Of("model").ToHex();
  folder_.Write("copy/models/" + good, "model");
  folder_.Write("copy/models/" + Sha256Of("other").ToHex(), "damaged");
  folder_.Write("copy/models/tmp-x", "x");

  ASSERT_OK_AND_ASSIGN(const auto present, StoredFilesIn(files_, folder_.File("copy")));

  ASSERT_THAT(present, SizeIs(1));
  EXPECT_EQ(present.begin()->second, "models/" + good);
  ASSERT_OK_AND_ASSIGN(const auto nothing, StoredFilesIn(files_, folder_.File("nowhere")));
  EXPECT_THAT(nothing, IsEmpty());
}

TEST_F(BackupFilesTest, PresentFileNeedsNoBytesAndMustBePresent) {
  const std::string name = "models/" + Sha256Of("model").ToHex();
  const auto backup = Create({{Sha256Of("model"), name}});
  ASSERT_THAT(backup->Take(FileOf("journal.sqlite", "j")), IsOk());
  ASSERT_THAT(backup->Take(DataOf("j")), IsOk());
  v1::BackupMessage file = FileOf(name, "model");
  file.mutable_file()->set_is_present(true);
  EXPECT_THAT(backup->Take(file), IsOk());
  v1::BackupMessage other = FileOf("models/" + Sha256Of("other").ToHex(), "other");
  other.mutable_file()->set_is_present(true);

  EXPECT_THAT(backup->Take(other), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::cli
