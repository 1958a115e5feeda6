// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/observed_journal.h"

#include <gmock/gmock.h>

#include <vector>

#include "tests/support/status_matchers.h"

namespace entente::store {
namespace {

class SometimesFullJournal final : public Journal {
 public:
  absl::Status Append(const JournalEntry&) override { return next; }
  absl::Status Replay(
      const std::function<absl::Status(const JournalEntry&)>& visit) const override {
    return visit({.job = JobId("kept"), .sequence = 1});
  }

  absl::Status next;
};

TEST(ObservedJournalTest, ObserverHearsOfWhatIsDurableOnly) {
  SometimesFullJournal real;
  ObservedJournal journal(&real);
  std::vector<uint64_t> seen;
  journal.SetObserver([&seen](const JournalEntry& entry) { seen.push_back(entry.sequence); });

  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}), IsOk());
  real.next = absl::ResourceExhaustedError("the disk is full");
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted));

  EXPECT_THAT(seen, ::testing::ElementsAre(1U));
}

TEST(ObservedJournalTest, ReplayIsTheOthersAndNeedsNoObserver) {
  SometimesFullJournal real;
  ObservedJournal journal(&real);
  std::string job;

  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}), IsOk());
  EXPECT_THAT(journal.Replay([&job](const JournalEntry& entry) {
    job = entry.job.value();
    return absl::OkStatus();
  }),
              IsOk());

  EXPECT_EQ(job, "kept");
}

}  // namespace
}  // namespace entente::store
