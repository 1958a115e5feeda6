// SPDX-License-Identifier: Apache-2.0
#include "sim/entry_text.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace entente::sim {
namespace {

TEST(EntryTextTest, IsTheSameAfterTheRecordWasReadAgain) {
  store::JournalEntry entry{
      .job = JobId("a"), .sequence = 7, .at = absl::FromUnixMicros(5), .record = {}};
  auto& weights = *entry.record.mutable_round()->mutable_aggregated()->mutable_weights();
  for (int i = 0; i < 50; ++i) weights[absl::StrCat("lab-", i)] = i;

  store::JournalEntry read = entry;
  ASSERT_TRUE(read.record.ParseFromString(entry.record.SerializeAsString()));

  EXPECT_EQ(EntryText(read), EntryText(entry));
}

TEST(EntryTextTest, DiffersWithTheSequenceTheTimeAndTheRecord) {
  const store::JournalEntry entry{
      .job = JobId("a"), .sequence = 7, .at = absl::FromUnixMicros(5), .record = {}};
  store::JournalEntry next = entry;
  next.sequence = 8;
  store::JournalEntry later = entry;
  later.at = absl::FromUnixMicros(6);
  store::JournalEntry other = entry;
  other.record.mutable_cancelled()->set_reason("enough");

  EXPECT_NE(EntryText(next), EntryText(entry));
  EXPECT_NE(EntryText(later), EntryText(entry));
  EXPECT_NE(EntryText(other), EntryText(entry));
}

}  // namespace
}  // namespace entente::sim
