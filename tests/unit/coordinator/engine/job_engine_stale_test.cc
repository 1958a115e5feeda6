// SPDX-License-Identifier: Apache-2.0
// Which tasks are stale is stale_task_test's.

#include <gmock/gmock.h>

#include "absl/synchronization/notification.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;

constexpr char kLateWorker[] = "fr-lab/w";

// A worker whose link is down when its task is called off.
class JobEngineStaleTest : public EngineTest {
 protected:
  void CutLink(const std::shared_ptr<RecordingConnection>& connection) {
    workers_->Detach(WorkerId(kLateWorker), connection.get(), "the link is down");
  }

  static void Cancel(JobEngine& job) {
    job.Cancel("cancelled by a test",
               [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
    WaitForEnd(job);
    // Its end can be seen before everybody who is attached was told.
    absl::Notification all_told;
    job.WhenCaughtUp([&all_told] { all_told.Notify(); });
    all_told.WaitForNotification();
  }

  // The worker is back on its link, and still at work on `key`.
  std::shared_ptr<RecordingConnection> ComeBackAtWork(JobEngine& job, const v1::TaskKey& key) {
    auto connection = AttachWorker(kLateWorker);
    job.OnProgress(WorkerId(kLateWorker), key,
                   {.activity = "training", .step = 3, .step_count = 100});
    return connection;
  }
};

TEST_F(JobEngineStaleTest, WorkerWhoseLinkWasDownAsTheJobWasCancelledHearsItWhenItIsBack) {
  const auto before = AttachWorker(kLateWorker);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  Cancel(*job);

  const auto back = ComeBackAtWork(*job, key);

  const v1::TaskCancelled cancelled = back->WaitForCancelled();
  EXPECT_EQ(cancelled.key().SerializeAsString(), key.SerializeAsString());
  EXPECT_EQ(cancelled.reason(), "the job has ended: cancelled by a test");
  EXPECT_EQ(back->WaitForJobEnded().job_id(), key.job_id());
}

TEST_F(JobEngineStaleTest, CoordinatorThatEndedBeforeItSaidSoSaysItAfterItsRestart) {
  const auto key = [this] {
    const auto before = AttachWorker(kLateWorker);
    const auto job = Submit(RecipeOf(1, 1));
    const v1::TaskKey task_key = before->WaitForTask(0).key();
    CutLink(before);
    Cancel(*job);
    return task_key;
  }();
  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto job, jobs_->Find(JobId(key.job_id())));

  const auto back = AttachWorker(kLateWorker);
  job->OnTaskAccepted(WorkerId(kLateWorker), key);

  EXPECT_THAT(back->WaitForCancelled().reason(), HasSubstr("cancelled by a test"));
  back->WaitForJobEnded();
}

TEST_F(JobEngineStaleTest, WorkerOfAnAttemptThatWasAbortedHearsWhyThoughTheNextDoesWithoutIt) {
  const auto kr = AttachWorker("kr-lab/w");
  const auto before = AttachWorker(kLateWorker);
  const auto job = Submit(RecipeOf(1, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  job->PauseJob("paused by a test", /*now=*/true, [](const absl::Status&) {});
  job->ResumeJob("resumed by a test", [](const absl::Status&) {});
  kr->WaitForTask(1);  // Of the second attempt, whose cohort is kr-lab/w alone.

  const auto back = ComeBackAtWork(*job, key);

  EXPECT_EQ(back->WaitForCancelled().reason(), "round 1 attempt 1 is aborted: paused by a test");
}

TEST_F(JobEngineStaleTest, WorkerThatTheRoundWentOnWithoutHearsIt) {
  const auto kr = AttachWorker("kr-lab/w");
  const auto before = AttachWorker(kLateWorker);
  const auto job = Submit(RecipeOf(2, 1));
  const v1::TaskKey key = before->WaitForTask(0).key();
  CutLink(before);
  job->OnTaskFailed(WorkerId(kLateWorker), key, "the worker is stopping", /*may_return=*/true);
  ASSERT_THAT(Upload("kr-lab/w", kr->WaitForTask(0), 1, 1), IsOk());
  kr->WaitForTask(1);  // Of round 2.

  const auto back = ComeBackAtWork(*job, key);

  EXPECT_THAT(back->WaitForCancelled().reason(), HasSubstr("round 1 attempt 1 is committed"));
}

}  // namespace
}  // namespace entente::engine
