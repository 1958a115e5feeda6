// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/observed_journal.h"

#include <gmock/gmock.h>

#include <vector>

#include "common/base/limits.h"
#include "tests/support/failing_journal.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ObservedJournalTest, ObserverHearsOfWhatIsDurableOnly) {
  FailingJournal real;
  const SimulatedClock clock;
  ObservedJournal journal(&real, &clock);
  std::vector<uint64_t> seen;
  journal.SetObserver([&seen](const JournalEntry& entry) { seen.push_back(entry.sequence); });

  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}), IsOk());
  real.next = absl::ResourceExhaustedError("the disk is full");
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted));

  EXPECT_THAT(seen, ::testing::ElementsAre(1U));
}

TEST(ObservedJournalTest, ReplayIsTheOthersAndNeedsNoObserver) {
  FailingJournal real;
  const SimulatedClock clock;
  ObservedJournal journal(&real, &clock);
  std::string job;

  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}), IsOk());
  EXPECT_THAT(journal.Replay([&job](const JournalEntry& entry) {
    job = entry.job.value();
    return absl::OkStatus();
  }),
              IsOk());

  EXPECT_EQ(job, "kept");
}

TEST(ObservedJournalTest, JournalIsWellUntilAnEventIsRefusedAndAgainWhenOneIsTaken) {
  FailingJournal real;
  const SimulatedClock clock;
  ObservedJournal journal(&real, &clock);
  EXPECT_THAT(journal.Health(), IsOk());

  real.next = absl::ResourceExhaustedError("cannot write the journal /srv/j: no space left");
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(journal.Health(), StatusIs(absl::StatusCode::kResourceExhausted,
                                         AllOf(HasSubstr("disk is full"), Not(HasSubstr("/srv")))));

  real.next = absl::OkStatus();
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}), IsOk());
  EXPECT_THAT(journal.Health(), IsOk());
}

TEST(ObservedJournalTest, AnyOtherFailureIsInTheLogAndNotToldToEverybody) {
  FailingJournal real;
  const SimulatedClock clock;
  ObservedJournal journal(&real, &clock);

  real.next = absl::AbortedError("cannot write the journal /srv/j: disk I/O error");
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}),
              StatusIs(absl::StatusCode::kAborted));

  EXPECT_THAT(journal.Health(), StatusIs(absl::StatusCode::kUnavailable,
                                         AllOf(HasSubstr("log says why"), Not(HasSubstr("/srv")))));
}

TEST(ObservedJournalTest, FailureThatNobodyRepeatsIsForgotten) {
  FailingJournal real;
  SimulatedClock clock;
  ObservedJournal journal(&real, &clock);
  real.next = absl::UnavailableError("disk I/O error");
  EXPECT_THAT(journal.Append({.job = JobId("a"), .sequence = 1}),
              StatusIs(absl::StatusCode::kUnavailable));

  clock.Advance(limits::kJournalFailureAgeMax - absl::Seconds(1));
  EXPECT_THAT(journal.Health(), StatusIs(absl::StatusCode::kUnavailable));
  clock.Advance(absl::Seconds(1));
  EXPECT_THAT(journal.Health(), IsOk());
}

}  // namespace
}  // namespace entente::store
