// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_journal.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

JournalEntry EntryOf(const std::string& job, uint64_t sequence) {
  JournalEntry entry{.job = JobId(job),
                     .sequence = sequence,
                     .at = absl::FromUnixMicros(1'700'000'000'123'456),
                     .record = {}};
  entry.record.mutable_cancelled()->set_reason(absl::StrCat(job, " ", sequence));
  return entry;
}

std::vector<std::string> Reasons(const Journal& journal) {
  std::vector<std::string> reasons;
  EXPECT_THAT(journal.Replay([&reasons](const JournalEntry& entry) {
    reasons.push_back(entry.record.cancelled().reason());
    return absl::OkStatus();
  }),
              IsOk());
  return reasons;
}

class SqliteJournalTest : public ::testing::Test {
 protected:
  const TempFolder folder_;
  const std::string path_ = folder_.File("journal.sqlite");
};

TEST_F(SqliteJournalTest, WhatWasAppendedIsThereAfterReopening) {
  {
    ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
    ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("b", 1)), IsOk());
    ASSERT_THAT(journal->Append(EntryOf("a", 2)), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));

  EXPECT_THAT(Reasons(*journal), ElementsAre("a 1", "a 2", "b 1"));
}

// A log that grows costs every commit a change of the file system's own tables.
TEST_F(SqliteJournalTest, LogIsAsLongFromTheStartAsItGets) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
  const auto log_bytes = [this] { return std::filesystem::file_size(path_ + "-wal"); };
  const uintmax_t at_first = log_bytes();
  for (int i = 1; i <= 1'500; ++i) ASSERT_THAT(journal->Append(EntryOf("a", i)), IsOk());

  EXPECT_GE(at_first, 4'000'000U);
  EXPECT_EQ(log_bytes(), at_first);
  EXPECT_EQ(Reasons(*journal).size(), 1'500U);
}

TEST_F(SqliteJournalTest, TimesKeepTheirMicroseconds) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());

  ASSERT_THAT(journal->Replay([](const JournalEntry& entry) {
    EXPECT_EQ(entry.at, absl::FromUnixMicros(1'700'000'000'123'456));
    return absl::OkStatus();
  }),
              IsOk());
}

TEST_F(SqliteJournalTest, SameSequenceTwiceIsAborted) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
  ASSERT_THAT(journal->Append(EntryOf("a", 1)), IsOk());

  EXPECT_THAT(journal->Append(EntryOf("a", 1)), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Reasons(*journal).size(), 1U);
}

TEST_F(SqliteJournalTest, SecondCoordinatorOnTheSameFileIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto first, SqliteJournal::Open(path_));

  EXPECT_THAT(SqliteJournal::Open(path_), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                   HasSubstr("another coordinator is running")));
}

TEST_F(SqliteJournalTest, FileThatIsNoDatabaseIsDataLossAndUntouched) {
  folder_.Write("journal.sqlite", std::string(4096, 'x'));

  EXPECT_THAT(SqliteJournal::Open(path_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
}

TEST_F(SqliteJournalTest, MissingFolderIsNamed) {
  EXPECT_THAT(SqliteJournal::Open(folder_.File("no/journal.sqlite")),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no/journal.sqlite")));
}

TEST_F(SqliteJournalTest, ReplayStopsAtTheVisitorsError) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
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

TEST_F(SqliteJournalTest, PagesAreReadFromTheNewestBack) {
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
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
  ASSERT_OK_AND_ASSIGN(const auto journal, SqliteJournal::Open(path_));
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
