// SPDX-License-Identifier: Apache-2.0
// What becomes of the journal's log when the journal is closed, killed, refused or copied.

#include <gmock/gmock.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_journal.h"
#include "tests/unit/coordinator/store/sqlite_journal_fixture.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SqliteJournalLogTest : public SqliteJournalTest {
 protected:
  std::string Database(const std::string& path) { return *ReadTextFile(files_, path, 8 << 20); }
  std::string Log(const std::string& path) { return Database(path + "-wal"); }

  // The journal at `path_` as it would be left if the process were killed now.
  void CopyAsKilled() {
    folder_.Write("killed", Database(path_));
    folder_.Write("killed-wal", Log(path_));
  }

  const std::string killed_ = folder_.File("killed");
};

TEST_F(SqliteJournalLogTest, WhetherItWasClosedIsKnownWhenItIsOpenedAgain) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    EXPECT_FALSE(journal->WasLeftOpen());
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    CopyAsKilled();
  }
  ASSERT_OK_AND_ASSIGN(const auto closed, SqliteJournal::Open(&files_, path_));
  EXPECT_FALSE(closed->WasLeftOpen());

  ASSERT_OK_AND_ASSIGN(const auto killed, SqliteJournal::Open(&files_, killed_));
  EXPECT_TRUE(killed->WasLeftOpen());
  EXPECT_THAT(Reasons(*killed), ElementsAre("a 1"));
}

// What a start refuses may be only the database, and the log be what is whole.
TEST_F(SqliteJournalLogTest, LogStaysUntilTheJournalIsSettled) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    CopyAsKilled();
  }
  const std::string database = Database(killed_);
  const std::string log = Log(killed_);
  {
    ASSERT_OK_AND_ASSIGN(const auto refused, SqliteJournal::Open(&files_, killed_));
    EXPECT_THAT(Reasons(*refused), ElementsAre("a 1"));
  }
  EXPECT_EQ(Database(killed_), database);
  EXPECT_EQ(Log(killed_), log);

  {
    ASSERT_OK_AND_ASSIGN(const auto started, SqliteJournal::Open(&files_, killed_));
    started->Settle();
  }
  EXPECT_FALSE(files_.Exists(killed_ + "-wal"));
  ASSERT_OK_AND_ASSIGN(const auto again, SqliteJournal::Open(&files_, killed_));
  EXPECT_THAT(Reasons(*again), ElementsAre("a 1"));
}

// What was acknowledged last is in the log alone.
TEST_F(SqliteJournalLogTest, LogThatIsLostOrCutWhileTheJournalIsInUseIsToldAndNothingIsTouched) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    journal->Settle();
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    CopyAsKilled();
  }
  const std::string database = Database(killed_);
  const std::string log = Log(killed_);
  ASSERT_THAT(files_.Remove(killed_ + "-wal"), IsOk());
  const auto is_told = StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr(killed_ + "-wal"), HasSubstr("put the log")));
  EXPECT_THAT(SqliteJournal::OpenForRead(&files_, killed_).status(), is_told);
  EXPECT_THAT(SqliteJournal::Open(&files_, killed_).status(), is_told);
  EXPECT_FALSE(files_.Exists(killed_ + "-wal"));
  for (const size_t bytes : {size_t{0}, size_t{31}, size_t{6000}, log.size() - 1}) {
    SCOPED_TRACE(bytes);
    folder_.Write("killed-wal", log.substr(0, bytes));
    EXPECT_THAT(SqliteJournal::OpenForRead(&files_, killed_).status(), is_told);
    EXPECT_THAT(SqliteJournal::Open(&files_, killed_).status(), is_told);
    EXPECT_EQ(Log(killed_), log.substr(0, bytes));
    EXPECT_EQ(Database(killed_), database);
  }

  folder_.Write("killed-wal", log);
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, killed_));
    EXPECT_THAT(Reasons(*journal), ElementsAre("a 1"));
  }
  // As docs/operations.md has it where the log is gone for good.
  folder_.Write("journal.sqlite", database);
  Execute("DELETE FROM facts WHERE name = 'log'");
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  EXPECT_THAT(Reasons(*journal), ElementsAre());
}

// A crash while the log is begun anew leaves one that holds nothing, and a database that says it
// needs its log.
TEST_F(SqliteJournalLogTest, StartThatIsRefusedLeavesTheMarkAndTheLogTogether) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    journal->Settle();
    CopyAsKilled();
    std::string log = Log(path_);
    ++log[15];  // Which restart of the log it is; the salts and the checksum were to follow.
    folder_.Write("killed-wal", log);
  }
  EXPECT_THAT(SqliteJournal::Open(&files_, killed_).status(), IsOk());  // Without being settled.
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, killed_));
  EXPECT_TRUE(journal->WasLeftOpen());
  EXPECT_THAT(Reasons(*journal), ElementsAre("a 1"));
}

TEST_F(SqliteJournalLogTest, CopyNeedsNoLog) {
  const std::string path = folder_.File("copy");
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  journal->Settle();
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
  // Of a copy that was cut off.
  folder_.Write("copy-wal", Log(path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());

  ASSERT_THAT(journal->CopyTo(path), IsOk());

  EXPECT_FALSE(files_.Exists(path + "-wal"));
  ASSERT_OK_AND_ASSIGN(const auto copy, SqliteJournal::Open(&files_, path));
  EXPECT_THAT(Reasons(*copy), ElementsAre("a 1", "a 2"));
}

TEST_F(SqliteJournalLogTest, CopyOnADiskThatFailsIsRefusedOrWhole) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  journal->Settle();
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
  int64_t k = 1;
  for (bool has_failed = true; has_failed; ++k) {
    SCOPED_TRACE(absl::StrCat("change ", k, " fails"));
    const std::string path = folder_.File(absl::StrCat("copy-", k));
    files_.FailChange(k, FaultyFileSystem::Failure::kOnce);
    const absl::Status copied = journal->CopyTo(path);
    has_failed = files_.Heal();
    EXPECT_EQ(files_.Exists(path), copied.ok());
    EXPECT_FALSE(files_.Exists(path + "-wal"));
    if (!copied.ok()) continue;
    ASSERT_OK_AND_ASSIGN(const auto copy, SqliteJournal::OpenForRead(&files_, path));
    EXPECT_THAT(Reasons(*copy), ElementsAre("a 1"));
  }
  EXPECT_GT(k, 10);
}

// The log may be what is whole of the two.
TEST_F(SqliteJournalLogTest, JournalThatMetALossKeepsItsLogAndItsMark) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    journal->Settle();
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    EXPECT_FALSE(journal->Append(EntryOf("a", 1)).ok());  // As another coordinator's.
  }
  EXPECT_TRUE(files_.Exists(path_ + "-wal"));
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::OpenForRead(&files_, path_));
    EXPECT_THAT(Reasons(*journal), ElementsAre("a 1"));
  }
  ASSERT_THAT(files_.Remove(path_ + "-wal"), IsOk());
  EXPECT_THAT(SqliteJournal::Open(&files_, path_).status(), StatusIs(absl::StatusCode::kDataLoss));
}

// A power cut in the first start may leave it.
TEST_F(SqliteJournalLogTest, EmptyRollbackFileHidesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    journal->Settle();
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    CopyAsKilled();
  }
  folder_.Write("killed-journal", "");
  const std::string cut = Log(killed_).substr(0, 40'000);
  folder_.Write("killed-wal", cut);

  EXPECT_THAT(SqliteJournal::Open(&files_, killed_).status(),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Log(killed_), cut);
}

// A log that grows costs every commit a change of the file system's own tables.
TEST_F(SqliteJournalLogTest, LogIsAsLongFromTheStartAsItGets) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  const auto log_bytes = [this] { return std::filesystem::file_size(path_ + "-wal"); };
  const uintmax_t at_first = log_bytes();
  for (int i = 1; i <= 1'500; ++i) ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());

  EXPECT_GE(at_first, 4'000'000U);
  EXPECT_EQ(log_bytes(), at_first);
  EXPECT_EQ(Reasons(*journal).size(), 1'500U);
}

TEST_F(SqliteJournalLogTest, LogWithoutItsJournalIsDataLossAndUntouched) {
  folder_.Write("journal.sqlite-wal", "all that was acknowledged");
  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_ + " is missing")));

  folder_.Write("journal.sqlite", "");
  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_ + " is empty"), HasSubstr(path_ + "-wal"))));

  EXPECT_EQ(*ReadTextFile(files_, path_ + "-wal", 1 << 20), "all that was acknowledged");
}

// What there was of the log would keep the disk full.
TEST_F(SqliteJournalLogTest, LogThatFindsNoRoomSaysHowMuchItNeedsAndTakesNone) {
  { ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_)); }
  files_.FailChange(2, FaultyFileSystem::Failure::kFull);  // After the log was made, empty.
  const absl::Status full = SqliteJournal::Open(&files_, path_).status();

  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted,
                             AllOf(HasSubstr("No space left"), HasSubstr("needs 4608 KiB"))));
  EXPECT_EQ(files_.SizeBytes(path_ + "-wal").value_or(0), 0);
  files_.Heal();
  EXPECT_THAT(SqliteJournal::Open(&files_, path_).status(), IsOk());
}

}  // namespace
}  // namespace entente::store
