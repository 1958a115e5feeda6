// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_STORE_SQLITE_JOURNAL_FIXTURE_H_
#define TESTS_UNIT_COORDINATOR_STORE_SQLITE_JOURNAL_FIXTURE_H_

// A journal in a temporary folder, on a disk that can be told to fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_journal.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {

inline JournalEntry EntryOf(const std::string& job, uint64_t sequence) {
  JournalEntry entry{.job = JobId(job),
                     .sequence = sequence,
                     .at = absl::FromUnixMicros(1'700'000'000'123'456),
                     .record = {}};
  entry.record.mutable_cancelled()->set_reason(absl::StrCat(job, " ", sequence));
  return entry;
}

inline std::vector<std::string> Reasons(const Journal& journal) {
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
  // Runs SQL on the journal's file, behind its back.
  void Execute(const std::string& sql) {
    SqliteFileSystem disk(&files_, SqliteFileSystem::Access::kReadWrite);
    ASSERT_OK_AND_ASSIGN(const auto database, SqliteConnection::Open(&disk, path_));
    ASSERT_THAT(database->Execute(sql), IsOk());
  }

  const TempFolder folder_;
  const std::string path_ = folder_.File("journal.sqlite");
  FaultyFileSystem files_;
};

}  // namespace entente::store

#endif  // TESTS_UNIT_COORDINATOR_STORE_SQLITE_JOURNAL_FIXTURE_H_
