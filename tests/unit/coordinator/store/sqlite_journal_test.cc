// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_journal.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/coordinator/store/sqlite_journal_fixture.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(SqliteJournalTest, WhatWasAppendedIsThereAfterReopening) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("b", 1)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));

  EXPECT_THAT(Reasons(*journal), ElementsAre("a 1", "a 2", "b 1"));
}

TEST_F(SqliteJournalTest, TimesKeepTheirMicroseconds) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());

  ASSERT_THAT(journal->Replay([](const JournalEntry& entry) {
    EXPECT_EQ(entry.at, absl::FromUnixMicros(1'700'000'000'123'456));
    return absl::OkStatus();
  }),
              IsOk());
}

TEST_F(SqliteJournalTest, EventThatSomebodyElseWroteEndsTheJournalUntilItIsOpenedAgain) {
  std::vector<std::string> losses;
  ASSERT_OK_AND_ASSIGN(const auto journal,
                       SqliteJournal::Open(&files_, path_, [&losses](const absl::Status& reason) {
                         losses.emplace_back(reason.message());
                       }));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());

  EXPECT_THAT(
      journal->Append(EntryOf("a", 1)),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("another coordinator has written")));
  EXPECT_THAT(journal->Append(EntryOf("a", 2)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("start the coordinator again")));
  EXPECT_THAT(losses, ElementsAre(HasSubstr("another coordinator has written")));
  EXPECT_EQ(Reasons(*journal).size(), 1U);
}

TEST_F(SqliteJournalTest, FileThatIsNoDatabaseIsDataLossAndUntouched) {
  folder_.Write("journal.sqlite", std::string(4096, 'x'));

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
}

// The last page may be cut where nothing is in it.
TEST_F(SqliteJournalTest, TruncatedJournalIsToldAndUntouched) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    for (int i = 1; i <= 100; ++i) ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());
  }
  const std::string whole = *ReadTextFile(files_, path_, 1 << 20);
  int refused = 0;
  for (size_t size = 1; size < whole.size(); size += 1000) {
    SCOPED_TRACE(size);
    folder_.Write("journal.sqlite", whole.substr(0, size));

    absl::Status status = absl::OkStatus();
    size_t seen = 0;
    {
      const auto journal = SqliteJournal::Open(&files_, path_);
      status = journal.status();
      refused += status.ok() ? 0 : 1;
      if (status.ok()) {
        status = (*journal)->Replay([&seen](const JournalEntry&) {
          ++seen;
          return absl::OkStatus();
        });
      }
    }

    if (status.ok()) {
      EXPECT_EQ(seen, 100U);
    } else {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                                   AllOf(HasSubstr(path_), HasSubstr("put back a copy"))));
    }
    EXPECT_EQ(*ReadTextFile(files_, path_, 1 << 20), whole.substr(0, size));
  }
  EXPECT_GE(refused, 12) << "all that lack a page";
}

// Wherever one byte is another, either it is told or nothing is different.
TEST_F(SqliteJournalTest, FlippedByteAnywhereIsToldOrHarmless) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    for (int i = 1; i <= 20; ++i) ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());
  }
  const std::string whole = *ReadTextFile(files_, path_, 1 << 20);
  const std::vector<std::string> reasons = Reasons(**SqliteJournal::OpenForRead(&files_, path_));
  int told = 0;
  for (size_t at = 0; at < whole.size(); at += 97) {
    SCOPED_TRACE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    folder_.Write("journal.sqlite", damaged);

    const auto journal = SqliteJournal::OpenForRead(&files_, path_);
    absl::Status status = journal.status();
    std::vector<std::string> seen;
    if (status.ok()) {
      status = (*journal)->Replay([&seen](const JournalEntry& entry) {
        seen.push_back(entry.record.cancelled().reason());
        return absl::OkStatus();
      });
    }
    if (status.ok()) {
      EXPECT_EQ(seen, reasons);
    } else {
      EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
      ++told;
    }
  }
  EXPECT_GT(told, 10);
}

TEST_F(SqliteJournalTest, DamageThatSqliteReportsIsToldInOneSentence) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    EXPECT_THAT(journal->CheckIntegrity(), IsOk());
  }
  std::string damaged = *ReadTextFile(files_, path_, 1 << 20);
  damaged[39] = 7;  // How many pages are free, by SQLite's header; none is.
  folder_.Write("journal.sqlite", damaged);

  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::OpenForRead(&files_, path_));

  EXPECT_THAT(journal->CheckIntegrity(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("the journal " + path_ + " is damaged ("),
                             HasSubstr("should be 7); put back a copy"), Not(HasSubstr("***")),
                             Not(HasSubstr("\n")))));
}

TEST_F(SqliteJournalTest, MissingFolderIsNamed) {
  EXPECT_THAT(SqliteJournal::Open(&files_, folder_.File("no/journal.sqlite")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no/journal.sqlite")));
}

TEST_F(SqliteJournalTest, ReplayStopsAtTheVisitorsError) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
  ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());

  int visited = 0;
  EXPECT_THAT(journal->Replay([&visited](const JournalEntry&) {
    ++visited;
    return absl::DataLossError("enough");
  }),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(visited, 1);
}

TEST_F(SqliteJournalTest, FlippedBitInARecordIsDataLossAndNamed) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());
  }
  std::string bytes = *ReadTextFile(files_, path_, 1 << 20);
  const size_t at = bytes.find("a 2");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 2] = '3';  // The record parses as before.
  folder_.Write("journal.sqlite", bytes);

  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));

  EXPECT_THAT(journal->Replay([](const JournalEntry&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("event 2 of job a"), HasSubstr(path_), HasSubstr("checksum"),
                             HasSubstr("put back a copy"))));
}

TEST_F(SqliteJournalTest, NewerJournalIsRefusedAndUntouched) {
  ASSERT_THAT(SqliteJournal::Open(&files_, path_), IsOk());
  Execute("PRAGMA user_version = 99");
  const std::string before = *ReadTextFile(files_, path_, 1 << 20);

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("newer Entente")));

  EXPECT_EQ(*ReadTextFile(files_, path_, 1 << 20), before);
}

TEST_F(SqliteJournalTest, JournalOfVersionOneIsTakenOver) {
  Execute(R"(
    CREATE TABLE events (
      id INTEGER PRIMARY KEY, job TEXT NOT NULL, sequence INTEGER NOT NULL,
      at_us INTEGER NOT NULL, record BLOB NOT NULL, UNIQUE (job, sequence)) STRICT;
    INSERT INTO events (job, sequence, at_us, record) VALUES ('a', 1, 5, x'1a030a016f');
    PRAGMA application_id = 0x456e7465;
    PRAGMA user_version = 1;)");
  {
    ASSERT_OK_AND_ASSIGN(const auto as_it_is, SqliteJournal::OpenForRead(&files_, path_));
    EXPECT_THAT(Reasons(*as_it_is), ElementsAre("o"));
  }

  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());

  EXPECT_THAT(Reasons(*journal), ElementsAre("o", "a 2"));
}

TEST_F(SqliteJournalTest, ReadingNeedsAJournalAndSeesWhatTheLogHas) {
  EXPECT_THAT(SqliteJournal::OpenForRead(&files_, path_), StatusIs(absl::StatusCode::kNotFound));
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    folder_.Write("copy", *ReadTextFile(files_, path_, 1 << 20));
    folder_.Write("copy-wal", *ReadTextFile(files_, path_ + "-wal", 8 << 20));
  }

  ASSERT_OK_AND_ASSIGN(const auto copy, SqliteJournal::OpenForRead(&files_, folder_.File("copy")));

  EXPECT_THAT(Reasons(*copy), ElementsAre("a 1"));
}

TEST_F(SqliteJournalTest, ReadingALogWithoutItsJournalIsDataLoss) {
  folder_.Write("journal.sqlite-wal", "all that was acknowledged");
  EXPECT_THAT(SqliteJournal::OpenForRead(&files_, path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_ + " is missing")));

  folder_.Write("journal.sqlite", "");
  EXPECT_THAT(SqliteJournal::OpenForRead(&files_, path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_ + " is empty")));
}

TEST_F(SqliteJournalTest, JournalSaysWhetherAnythingIsInIt) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    EXPECT_FALSE(journal->IsBlank());
    EXPECT_FALSE(*journal->HasEntries());
    folder_.Write("copy", *ReadTextFile(files_, path_, 1 << 20));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    EXPECT_TRUE(*journal->HasEntries());
  }

  ASSERT_OK_AND_ASSIGN(const auto copy, SqliteJournal::OpenForRead(&files_, folder_.File("copy")));

  EXPECT_TRUE(copy->IsBlank()) << "the tables are in the log";
  EXPECT_FALSE(*copy->HasEntries());
}

TEST_F(SqliteJournalTest, FullDiskLosesNothingAndGoesOnWhenThereIsRoom) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());

  files_.bytes_left = 10;
  EXPECT_THAT(journal->Append(EntryOf("a", 2)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr(path_), HasSubstr("free some space"))));
  EXPECT_THAT(Reasons(*journal), ElementsAre("a 1"));
  files_.bytes_left = int64_t{1} << 60;

  EXPECT_THAT(journal->Append(EntryOf("a", 2)), IsOk());
  EXPECT_THAT(Reasons(*journal), ElementsAre("a 1", "a 2"));
}

TEST_F(SqliteJournalTest, SyncThatFailsEndsTheJournalUntilItIsOpenedAgain) {
  std::vector<std::string> losses;
  {
    ASSERT_OK_AND_ASSIGN(const auto journal,
                         SqliteJournal::Open(&files_, path_, [&losses](const absl::Status& reason) {
                           losses.emplace_back(reason.message());
                         }));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    files_.sync_fails = true;
    EXPECT_THAT(journal->Append(EntryOf("a", 2)), StatusIs(absl::StatusCode::kUnavailable));
    files_.sync_fails = false;

    EXPECT_THAT(journal->Append(EntryOf("a", 2)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("start the coordinator again")));
    EXPECT_THAT(losses, ElementsAre(HasSubstr("cannot sync")));
  }

  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  // Whether the second one came through is for the disk to say.
  EXPECT_THAT(Reasons(*journal), AnyOf(ElementsAre("a 1"), ElementsAre("a 1", "a 2")));
}

TEST_F(SqliteJournalTest, JournalOfAnotherAllianceIsRefused) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
    EXPECT_EQ(*journal->Alliance(), "");
    ASSERT_THAT(journal->BelongTo("alliance.example"), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));

  EXPECT_THAT(journal->BelongTo("other.example"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("alliance.example's"), HasSubstr("other.example"),
                             HasSubstr("dataDirectory"))));
  EXPECT_THAT(journal->BelongTo("alliance.example"), IsOk());
  EXPECT_EQ(*journal->Alliance(), "alliance.example");
}

void ExpectDiskError(const absl::Status& status, const std::string& path) {
  EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
}

// A journal's life on a disk that fails: opened and appended to, twice. What was acknowledged goes
// into `acknowledged`; the first error that a retry does not mend ends it.
void LiveOn(FileSystem& files, const std::string& path, std::vector<std::string>* acknowledged) {
  for (int life = 0; life < 2; ++life) {
    const auto journal = SqliteJournal::Open(&files, path);
    if (!journal.ok()) {
      ExpectDiskError(journal.status(), path);
      return;
    }
    (*journal)->Settle();
    for (int i = 0; i < 3; ++i) {
      const JournalEntry entry = EntryOf("a", acknowledged->size() + 1);
      absl::Status status = (*journal)->Append(entry);
      if (!status.ok()) {
        ExpectDiskError(status, path);
        status = (*journal)->Append(entry);
      }
      if (!status.ok()) return;
      acknowledged->push_back(entry.record.cancelled().reason());
    }
  }
}

class SqliteJournalFaultTest : public ::testing::TestWithParam<FaultyFileSystem::Failure> {};

TEST_P(SqliteJournalFaultTest, WhicheverChangeFailsNothingAcknowledgedIsLost) {
  bool has_failed = true;
  int64_t k = 1;
  for (; has_failed; ++k) {
    SCOPED_TRACE(absl::StrCat("change ", k, " fails"));
    const TempFolder folder;
    const std::string path = folder.File("journal.sqlite");
    FaultyFileSystem files;
    std::vector<std::string> acknowledged;
    files.FailChange(k, GetParam());
    LiveOn(files, path, &acknowledged);
    has_failed = files.Heal();

    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files, path));
    std::vector<std::string> there = Reasons(*journal);
    ASSERT_GE(there.size(), acknowledged.size());
    // One more may have come through whose append did not say so.
    ASSERT_LE(there.size(), acknowledged.size() + 1);
    const size_t next = there.size() + 1;
    there.resize(acknowledged.size());
    EXPECT_EQ(there, acknowledged);
    EXPECT_THAT(journal->Append(EntryOf("a", next)), IsOk());
  }
  EXPECT_GT(k, GetParam() == FaultyFileSystem::Failure::kFull ? 15 : 30)
      << "the journal writes, syncs and removes more often than that";
}

INSTANTIATE_TEST_SUITE_P(EachFailure, SqliteJournalFaultTest,
                         ::testing::Values(FaultyFileSystem::Failure::kOnce,
                                           FaultyFileSystem::Failure::kForGood,
                                           FaultyFileSystem::Failure::kFull),
                         [](const auto& failure) {
                           using Failure = FaultyFileSystem::Failure;
                           return failure.param == Failure::kOnce      ? "Once"
                                  : failure.param == Failure::kForGood ? "ForGood"
                                                                       : "Full";
                         });

TEST_F(SqliteJournalTest, PagesAreReadFromTheNewestBack) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("b", i)), IsOk());
  }

  ASSERT_OK_AND_ASSIGN(const auto newest, journal->ReadBack(JobId(), 0, 2));
  ASSERT_OK_AND_ASSIGN(const auto before, journal->ReadBack(JobId(), newest[1].position, 2));
  ASSERT_OK_AND_ASSIGN(const auto of_a, journal->ReadBack(JobId("a"), 0, 10));

  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].entry.record.cancelled().reason(), "b 3");
  EXPECT_EQ(newest[1].entry.record.cancelled().reason(), "a 3");
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].entry.record.cancelled().reason(), "b 2");
  ASSERT_EQ(of_a.size(), 3U);
  EXPECT_EQ(of_a[2].entry.sequence, 1U);
}

TEST_F(SqliteJournalTest, PartOfAJobIsReadForward) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(&files_, path_));
  for (uint64_t i = 1; i <= 4; ++i) ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto part, journal->ReadOn(JobId("a"), 2, 2));
  ASSERT_OK_AND_ASSIGN(const auto none, journal->ReadOn(JobId("a"), UINT64_MAX, 2));

  ASSERT_EQ(part.size(), 2U);
  EXPECT_EQ(part[0].entry.sequence, 2U);
  EXPECT_EQ(part[1].entry.at, absl::FromUnixMicros(1'700'000'000'123'456));
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace entente::store
