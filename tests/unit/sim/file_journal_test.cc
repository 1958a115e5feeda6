// SPDX-License-Identifier: Apache-2.0
#include "sim/file_journal.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "sim/disk.h"
#include "tests/support/status_matchers.h"

namespace entente::sim {
namespace {

class FileJournalTest : public ::testing::Test {
 protected:
  static store::JournalEntry Entry(uint64_t sequence, const std::string& reason) {
    store::JournalEntry entry{
        .job = JobId("a"), .sequence = sequence, .at = absl::FromUnixMicros(5), .record = {}};
    entry.record.mutable_cancelled()->set_reason(reason);
    return entry;
  }
  std::unique_ptr<FileJournal> Open() {
    auto journal = FileJournal::Open(&files_, "/journal");
    EXPECT_THAT(journal, IsOk());
    return *std::move(journal);
  }
  // "1 one, 2 two, "
  static std::string Replayed(const FileJournal& journal) {
    std::string text;
    EXPECT_THAT(journal.Replay([&text](const store::JournalEntry& entry) {
      absl::StrAppend(&text, entry.sequence, " ", entry.record.cancelled().reason(), ", ");
      return absl::OkStatus();
    }),
                IsOk());
    return text;
  }

  Scheduler scheduler_{1};
  Disk disk_{&scheduler_};
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [] { return true; }};
};

TEST_F(FileJournalTest, WhatItTookSurvivesThePower) {
  {
    const auto journal = Open();
    ASSERT_THAT(journal->Append(Entry(1, "one")), IsOk());
    ASSERT_THAT(journal->Append(Entry(2, "two")), IsOk());
  }
  disk_.LosePower();

  EXPECT_EQ(Replayed(*Open()), "1 one, 2 two, ");
}

TEST_F(FileJournalTest, AnEntryThatWasRefusedIsReplacedByTheNext) {
  {
    const auto journal = Open();
    ASSERT_THAT(journal->Append(Entry(1, "one")), IsOk());
    disk_.faults.sync_fails = 1;
    EXPECT_FALSE(journal->Append(Entry(2, "a long entry that is not taken")).ok());
    disk_.faults.sync_fails = 0;
    ASSERT_THAT(journal->Append(Entry(2, "two")), IsOk());
  }
  disk_.LosePower();

  EXPECT_EQ(Replayed(*Open()), "1 one, 2 two, ");
}

TEST_F(FileJournalTest, AnEntrysTextIsTheSameAfterItWasRead) {
  store::JournalEntry entry = Entry(1, "");
  auto& weights = *entry.record.mutable_round()->mutable_aggregated()->mutable_weights();
  for (int i = 0; i < 50; ++i) weights[absl::StrCat("lab-", i)] = i;
  const auto journal = Open();
  ASSERT_THAT(journal->Append(entry), IsOk());

  ASSERT_THAT(Open()->Replay([&entry](const store::JournalEntry& read) {
    EXPECT_EQ(EntryText(read), EntryText(entry));
    return absl::OkStatus();
  }),
              IsOk());
}

TEST_F(FileJournalTest, AnotherSequenceThanTheNextIsRefused) {
  const auto journal = Open();

  EXPECT_THAT(journal->Append(Entry(2, "two")), StatusIs(absl::StatusCode::kAborted));
}

}  // namespace
}  // namespace entente::sim
