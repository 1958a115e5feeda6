// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/setbacks.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/http/http_fixture.h"

namespace entente::dashboard {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

class SetbacksTest : public DashboardFixture {};

TEST_F(SetbacksTest, EventThatEndedAnAttemptOrTheJobSaysSo) {
  const auto job = FailedJob();
  ASSERT_OK_AND_ASSIGN(const auto placed,
                       real_journal_->ReadOn(job->description().id, 1, /*count_max=*/10));
  ASSERT_EQ(placed.size(), 3U);
  Setbacks setbacks(jobs_.get());

  EXPECT_EQ(setbacks.Of(placed[0].entry), "");
  EXPECT_THAT(setbacks.Of(placed[1].entry),
              StartsWith("attempt 1 was aborted: deadline passed before enough workers"));
  EXPECT_THAT(setbacks.Of(placed[2].entry),
              StartsWith("the job has failed: round 1 failed in 2 attempts"));
}

TEST_F(SetbacksTest, PauseSaysWhetherItBrokeOffAnAttempt) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  fr->WaitForTask(0);
  for (const bool now : {false, true}) {
    absl::Notification done;
    job->PauseJob("paused by a test", now, [&done](const absl::Status& status) {
      EXPECT_THAT(status, IsOk());
      done.Notify();
    });
    done.WaitForNotification();
  }
  ASSERT_OK_AND_ASSIGN(const auto placed,
                       real_journal_->ReadOn(job->description().id, 1, /*count_max=*/10));
  Setbacks setbacks(jobs_.get());
  std::vector<std::string> of_pauses;

  for (const store::PlacedEntry& one : placed) {
    EXPECT_TRUE(setbacks.IsKnown(one.entry));
    if (one.entry.record.has_paused()) of_pauses.push_back(setbacks.Of(one.entry));
  }

  EXPECT_THAT(of_pauses, ElementsAre("", "attempt 1 was broken off"));
}

TEST_F(SetbacksTest, CommittedRoundIsNone) {
  const auto job = EndedJob();
  ASSERT_OK_AND_ASSIGN(const auto placed,
                       real_journal_->ReadOn(job->description().id, 1, /*count_max=*/10));
  Setbacks setbacks(jobs_.get());

  for (const store::PlacedEntry& one : placed) EXPECT_EQ(setbacks.Of(one.entry), "");
}

TEST_F(SetbacksTest, EventThatItsJobDoesNotShowYetIsNotKnown) {
  const auto job = EndedJob();
  ASSERT_OK_AND_ASSIGN(const auto placed,
                       real_journal_->ReadOn(job->description().id, 1, /*count_max=*/10));
  Setbacks setbacks(jobs_.get());
  store::JournalEntry entry = placed.back().entry;
  EXPECT_TRUE(setbacks.IsKnown(entry));

  ++entry.sequence;
  EXPECT_FALSE(setbacks.IsKnown(entry));

  entry.job = JobId("gone");
  EXPECT_TRUE(setbacks.IsKnown(entry)) << "nobody waits for what is not there";
  EXPECT_EQ(setbacks.Of(entry), "");
}

}  // namespace
}  // namespace entente::dashboard
