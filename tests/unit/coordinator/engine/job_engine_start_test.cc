// SPDX-License-Identifier: Apache-2.0
// What the journal of a job says of a coordinator that is started again.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/base/limits.h"
#include "coordinator/engine/job_engine.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::EndsWith;

constexpr char kFr[] = "fr-lab/w";

class JobEngineStartTest : public EngineTest {
 protected:
  // The starts in the journal, oldest first.
  std::vector<storage::v1::CoordinatorStarted> Starts() const {
    std::vector<storage::v1::CoordinatorStarted> starts;
    EXPECT_THAT(journal_->Replay([&starts](const store::JournalEntry& entry) {
      if (entry.record.has_coordinator_started()) {
        starts.push_back(entry.record.coordinator_started());
      }
      return absl::OkStatus();
    }),
                IsOk());
    return starts;
  }

  void StartAgain(bool after_a_crash = false) {
    Restart();
    ASSERT_THAT(jobs_->Restore({.version = "1.2.3", .after_a_crash = after_a_crash}), IsOk());
  }

  // Where the job stood at the last start, by what the journal says of it.
  std::string StandingAfterAStart() {
    StartAgain();
    const std::vector<storage::v1::CoordinatorStarted> starts = Starts();
    return starts.empty() ? "not noted" : starts.back().standing();
  }
};

TEST_F(JobEngineStartTest, StartIsNotedOnceWithItsVersionAndWhereTheRoundStood) {
  {
    const auto fr = AttachWorker(kFr);
    const auto kr = AttachWorker("kr-lab/w");
    const auto job = Submit(RecipeOf(1, 2));
    ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());
    EXPECT_TRUE(Starts().empty());
  }

  StartAgain();

  const std::vector<storage::v1::CoordinatorStarted> starts = Starts();
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_EQ(starts[0].version(), "1.2.3");
  EXPECT_FALSE(starts[0].after_a_crash());
  EXPECT_EQ(starts[0].standing(),
            "round 1 attempt 1 goes on in collecting, 1 of 2 needed updates are in");
}

TEST_F(JobEngineStartTest, StartAfterACrashSaysSo) {
  Submit(RecipeOf(1, 1));

  StartAgain(/*after_a_crash=*/true);

  ASSERT_EQ(Starts().size(), 1U);
  EXPECT_TRUE(Starts()[0].after_a_crash());
}

TEST_F(JobEngineStartTest, RoundThatIsPlannedWaitsForWorkersOrForTheJob) {
  const JobId id = Submit(RecipeOf(1, 1))->description().id;
  EXPECT_EQ(StandingAfterAStart(), "round 1 attempt 1 waits to open");

  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  absl::Notification paused;
  job->PauseJob("paused by a test", /*now=*/false,
                [&paused](const absl::Status&) { paused.Notify(); });
  paused.WaitForNotification();
  EXPECT_EQ(StandingAfterAStart(), "round 1 attempt 1 waits for the job to be resumed");
}

TEST_F(JobEngineStartTest, RoundThatWasCombinedIsCombinedAnew) {
  const auto fr = AttachWorker(kFr);
  const auto job = Submit(RecipeOf(1, 1));
  journal_->aggregated_failures = 1000;
  ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());

  EXPECT_EQ(StandingAfterAStart(),
            "round 1 attempt 1 combines its updates anew, 1 of 1 needed updates are in");
}

TEST_F(JobEngineStartTest, RoundThatIsEvaluatedHasItsModel) {
  const auto fr = AttachWorker(kFr);
  const auto job = Submit(RecipeOf(1, 1, /*evaluates=*/true));
  ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());
  fr->WaitForTask(1);

  EXPECT_EQ(StandingAfterAStart(), "round 1 attempt 1 goes on in evaluating, its model is made");
}

TEST_F(JobEngineStartTest, JobThatHasEndedHasNothingToSay) {
  const auto fr = AttachWorker(kFr);
  const auto job = Submit(RecipeOf(1, 1));
  ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());
  WaitForEnd(*job);

  StartAgain();

  EXPECT_TRUE(Starts().empty());
}

TEST_F(JobEngineStartTest, StartsWithoutEndAreNotAllNotedUntilOtherTasksAreOut) {
  Submit(RecipeOf(2, 1));

  for (int i = 0; i < limits::kStartsNotedMax + 2; ++i) StartAgain();

  std::vector<storage::v1::CoordinatorStarted> starts = Starts();
  ASSERT_EQ(starts.size(), size_t{limits::kStartsNotedMax});
  EXPECT_EQ(starts[starts.size() - 2].standing(), starts[0].standing());
  EXPECT_THAT(starts.back().standing(),
              EndsWith("; further starts are not noted before other tasks are out"));

  const auto fr = AttachWorker(kFr);
  ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());
  fr->WaitForTask(1);
  StartAgain();
  starts = Starts();
  ASSERT_EQ(starts.size(), size_t{limits::kStartsNotedMax} + 1);
  EXPECT_EQ(starts.back().standing(),
            "round 2 attempt 1 goes on in collecting, 0 of 1 needed updates are in");
}

TEST_F(JobEngineStartTest, JobGoesOnIfTheJournalDoesNotTakeTheNote) {
  const JobId id = Submit(RecipeOf(1, 1))->description().id;
  Restart();
  journal_->start_failures = 1;

  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_TRUE(Starts().empty());
  const auto fr = AttachWorker(kFr);
  ASSERT_THAT(Upload(kFr, fr->WaitForTask(0), 1, 0), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(id));
  EXPECT_EQ(WaitForEnd(*job).state->status, jobs::JobStatus::kCompleted);
}

}  // namespace
}  // namespace entente::engine
