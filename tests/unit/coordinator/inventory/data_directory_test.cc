// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/data_directory.h"

#include <gmock/gmock.h>

#include <string>

#include "coordinator/store/sqlite_connection.h"
#include "coordinator/store/sqlite_file_system.h"
#include "coordinator/store/sqlite_journal.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::inventory {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DataDirectoryTest, FileInItsPlaceIsRefusedWithWhatToDoAndStays) {
  const TempFolder folder;
  PosixFileSystem files;
  const std::string path = folder.Write("data", "precious");

  EXPECT_THAT(MakeDataDirectory(files, path),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(path + ": there is a file of that name"),
                             HasSubstr("; dataDirectory must be a folder"))));
  EXPECT_EQ(*ReadTextFile(files, path, 100), "precious");
  EXPECT_THAT(MakeDataDirectory(files, path + "/below").message(),
              HasSubstr("; dataDirectory must be a folder"));
}

TEST(DataDirectoryTest, ParentsAreMade) {
  const TempFolder folder;
  PosixFileSystem files;

  EXPECT_THAT(MakeDataDirectory(files, folder.File("a/b")), IsOk());
  EXPECT_TRUE(files.Exists(folder.File("a/b")));
}

class JournalIsThereTest : public ::testing::Test {
 protected:
  absl::Status Check() { return CheckJournalIsThere(files_, folder_.path()); }

  // A coordinator's first start, which is over.
  void MakeJournal() {
    ASSERT_OK_AND_ASSIGN(const auto journal, store::SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->BelongTo("alliance.example"), IsOk());
  }

  // A journal as it is while everything is in its log, without that log.
  void MakeJournalWithoutItsLog() {
    std::string page;
    {
      ASSERT_OK_AND_ASSIGN(const auto journal, store::SqliteJournal::Open(&files_, path_));
      ASSERT_THAT(journal->BelongTo("alliance.example"), IsOk());
      ASSERT_OK_AND_ASSIGN(page, ReadTextFile(files_, path_, 1 << 20));
    }
    ASSERT_EQ(page.size(), 4096U);
    ASSERT_THAT(files_.Remove(path_ + "-wal"), IsOk());
    folder_.Write("journal.sqlite", page);
  }

  const TempFolder folder_;
  const std::string path_ = folder_.File("journal.sqlite");
  PosixFileSystem files_;
};

TEST_F(JournalIsThereTest, NewDirectoryNeedsNone) {
  EXPECT_THAT(CheckJournalIsThere(files_, folder_.File("nothing")), IsOk());
  EXPECT_THAT(Check(), IsOk());
  ASSERT_THAT(files_.CreateFolder(folder_.File("models")), IsOk());
  ASSERT_THAT(files_.CreateFolder(folder_.File("spool")), IsOk());
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(JournalIsThereTest, ModelsWithoutTheirJournalAreRefused) {
  folder_.Write("models/abc", "model");
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr(folder_.File("journal.sqlite") + " is missing"),
                                      HasSubstr(folder_.File("models")),
                                      HasSubstr("put the journal back"))));

  folder_.Write("journal.sqlite", "x");
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(JournalIsThereTest, UpdatesWithAnEmptyJournalAreRefused) {
  folder_.Write("spool/job/0-1/update", "update");
  folder_.Write("journal.sqlite", "");

  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr("journal.sqlite is empty"), HasSubstr("spool"))));
}

TEST_F(JournalIsThereTest, ModelsWithAJournalThatLostItsLogAreRefused) {
  MakeJournalWithoutItsLog();
  EXPECT_THAT(Check(), IsOk());
  folder_.Write("models/abc.part", "mod");
  folder_.Write("models/tmp-1", "mod");
  EXPECT_THAT(Check(), IsOk()) << "nothing is lost with those";

  folder_.Write("models/abc", "model");
  const std::string before = *ReadTextFile(files_, path_, 1 << 20);

  for (const bool has_empty_log : {false, true}) {
    if (has_empty_log) folder_.Write("journal.sqlite-wal", "");
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                  AllOf(HasSubstr(path_ + " holds no events"),
                                        HasSubstr("journal.sqlite-wal"),
                                        HasSubstr(folder_.File("models") + " is not empty"),
                                        HasSubstr("put the journal, with its log"))));
  }
  EXPECT_EQ(*ReadTextFile(files_, path_, 1 << 20), before);
}

TEST_F(JournalIsThereTest, BackupThatWasCutOffIsToBeTakenAgain) {
  for (const char* const arrived : {"journal.sqlite.part", "models/abc"}) {
    folder_.Write(arrived, "bytes");
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr(folder_.path() + " is an incomplete backup"),
                                        HasSubstr("take it again"))));
  }

  MakeJournal();
  EXPECT_THAT(Check(), IsOk());
}

// Opening it for writing would bring its tables up to date, and its own program would refuse it.
TEST_F(JournalIsThereTest, OlderJournalOfAnotherAllianceStaysAsItIs) {
  MakeJournal();
  {
    PosixFileSystem files;
    store::SqliteFileSystem disk(&files, store::SqliteFileSystem::Access::kReadWrite);
    ASSERT_OK_AND_ASSIGN(const auto database, store::SqliteConnection::Open(&disk, path_));
    ASSERT_THAT(database->Execute("PRAGMA user_version = 6"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const std::string before, ReadTextFile(files_, path_, 1 << 20));

  EXPECT_THAT(CheckJournalIsOf(files_, folder_.path(), "other.example"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("alliance.example's"), HasSubstr("other.example"))));
  EXPECT_THAT(CheckJournalIsOf(files_, folder_.path(), "alliance.example"), IsOk());

  EXPECT_EQ(*ReadTextFile(files_, path_, 1 << 20), before);
  EXPECT_FALSE(files_.Exists(path_ + "-wal"));
}

TEST_F(JournalIsThereTest, ModelsMayBeUploadedBeforeTheFirstJob) {
  MakeJournal();
  folder_.Write("models/abc", "model");

  EXPECT_THAT(Check(), IsOk());
}

TEST_F(JournalIsThereTest, UpdatesNeedAJournalWithEvents) {
  MakeJournal();
  folder_.Write("spool/job/0-1/update", "update");
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr("holds no events"), HasSubstr("spool"))));

  {
    ASSERT_OK_AND_ASSIGN(const auto journal, store::SqliteJournal::Open(&files_, path_));
    store::JournalEntry entry{
        .job = JobId("a"), .sequence = 1, .at = absl::UnixEpoch(), .record = {}};
    entry.record.mutable_cancelled()->set_reason("why");
    ASSERT_THAT(journal->Append(entry), IsOk());
  }
  EXPECT_THAT(Check(), IsOk());
}

}  // namespace
}  // namespace entente::inventory
