// SPDX-License-Identifier: Apache-2.0
// The coordinator's journal on the simulated disk, which loses what the real one may lose.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_journal.h"
#include "sim/disk.h"
#include "tests/support/status_matchers.h"

namespace entente::sim {
namespace {

// Of several seeds, for it is chance what a power cut leaves of unsynced bytes.
class JournalOnDiskTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  static store::JournalEntry Entry(uint64_t sequence, const std::string& reason) {
    store::JournalEntry entry{
        .job = JobId("a"), .sequence = sequence, .at = absl::FromUnixMicros(5), .record = {}};
    entry.record.mutable_cancelled()->set_reason(reason);
    return entry;
  }
  std::unique_ptr<store::SqliteJournal> Open() {
    auto journal = store::SqliteJournal::Open(&files_, "/journal.sqlite");
    EXPECT_THAT(journal, IsOk());
    return journal.ok() ? *std::move(journal) : nullptr;
  }
  // With the coordinator in the middle of its work: a journal that is closed moves its log into the
  // database first.
  void LosePower(std::unique_ptr<store::SqliteJournal>* journal) {
    is_alive_ = false;
    *journal = nullptr;
    disk_.LosePower();
    is_alive_ = true;
  }
  // "one, two, "
  static std::string Replayed(const store::SqliteJournal& journal) {
    std::string text;
    EXPECT_THAT(journal.Replay([&text](const store::JournalEntry& entry) {
      absl::StrAppend(&text, entry.record.cancelled().reason(), ", ");
      return absl::OkStatus();
    }),
                IsOk());
    return text;
  }

  Scheduler scheduler_{GetParam()};
  Disk disk_{&scheduler_};
  bool is_alive_ = true;
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [this] { return is_alive_; }};
};

INSTANTIATE_TEST_SUITE_P(Seeds, JournalOnDiskTest, ::testing::Range<uint64_t>(1, 21));

TEST_P(JournalOnDiskTest, WhatItTookSurvivesThePower) {
  auto journal = Open();
  ASSERT_THAT(journal->Append(Entry(1, "one")), IsOk());
  ASSERT_THAT(journal->Append(Entry(2, "two")), IsOk());
  LosePower(&journal);

  EXPECT_EQ(Replayed(*Open()), "one, two, ");
}

TEST_P(JournalOnDiskTest, WhatFollowsASyncThatFailedSurvivesThePower) {
  auto journal = Open();
  ASSERT_THAT(journal->Append(Entry(1, "one")), IsOk());
  disk_.faults.sync_fails = 1;
  EXPECT_FALSE(journal->Append(Entry(2, "two")).ok());
  disk_.faults.sync_fails = 0;
  // The kernel calls its bytes clean, so they can still be read, and are never on the disk.
  journal = nullptr;
  journal = Open();
  const std::string found = Replayed(*journal);
  const bool is_there = found == "one, two, ";
  EXPECT_TRUE(is_there || found == "one, ") << found;
  ASSERT_THAT(journal->Append(Entry(is_there ? 3 : 2, "three")), IsOk());
  LosePower(&journal);

  EXPECT_EQ(Replayed(*Open()), absl::StrCat(found, "three, "));
}

}  // namespace
}  // namespace entente::sim
