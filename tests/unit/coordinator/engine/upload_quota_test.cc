// SPDX-License-Identifier: Apache-2.0
// Updates for which the coordinator's disk has no room: put off with the numbers, and said so.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "coordinator/engine/upload_intake.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class UploadQuotaTest : public EngineTest {
 protected:
  UploadQuotaTest()
      : EngineTest(/*spool_quota_bytes=*/100),
        fr_(AttachWorker("fr-lab/w")),
        kr_(AttachWorker("kr-lab/w")),
        job_(Submit(RecipeOf(1, 2))),
        fr_task_(fr_->WaitForTask(0)),
        kr_task_(kr_->WaitForTask(0)) {}
  ~UploadQuotaTest() override { job_.reset(); }

  auto OpenAs(const std::string& worker, const v1::Task& task) {
    return uploads_->OpenUpdate(WorkerId(worker), UploadHeaderOf(task, UpdateBytes(1, 1)));
  }
  // Takes the room that both would need.
  void FillSpool() { ASSERT_THAT(Upload("fr-lab/w", fr_task_, 1, 1), IsOk()); }
  void CatchUp() {
    absl::Notification caught_up;
    job_->WhenCaughtUp([&caught_up] { caught_up.Notify(); });
    caught_up.WaitForNotification();
  }
  void SayOfKr(const std::string& activity, uint64_t step, uint64_t step_count) {
    job_->OnProgress(WorkerId("kr-lab/w"), kr_task_.key(),
                     {.activity = activity, .step = step, .step_count = step_count});
    CatchUp();
  }
  WorkerProgress ProgressOfKr() { return job_->View().progress[WorkerId("kr-lab/w")]; }
  // What the round's timeline has it doing.
  std::string TimelineOfKr() {
    return job_->ChronicleInFlight().activities[WorkerId("kr-lab/w")].back().activity;
  }

  const std::shared_ptr<RecordingConnection> fr_;
  const std::shared_ptr<RecordingConnection> kr_;
  std::shared_ptr<JobEngine> job_;
  const v1::Task fr_task_;
  const v1::Task kr_task_;
};

TEST_F(UploadQuotaTest, UpdateThatDoesNotFitIsPutOffBeforeItsBytesTravel) {
  const size_t size = UpdateBytes(1, 1).size();
  ASSERT_LT(size, 100U);
  ASSERT_GT(2 * size, 100U);
  {
    ASSERT_OK_AND_ASSIGN(const auto first, OpenAs("fr-lab/w", fr_task_));
    EXPECT_THAT(OpenAs("kr-lab/w", kr_task_),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         AllOf(HasSubstr("no room for the update of kr-lab/w"),
                               HasSubstr(absl::StrCat(size, " bytes are needed")),
                               HasSubstr(absl::StrCat(size, " are promised")),
                               HasSubstr("may hold 100 (limits.spoolBytesMax)"))));
  }
  EXPECT_THAT(OpenAs("kr-lab/w", kr_task_), IsOk());
}

TEST_F(UploadQuotaTest, UpdateThatWaitsForRoomIsSaidToUntilItsWorkerSaysSomethingNew) {
  FillSpool();
  SayOfKr("training", 630, 640);
  ASSERT_THAT(OpenAs("kr-lab/w", kr_task_), StatusIs(absl::StatusCode::kResourceExhausted));
  CatchUp();
  EXPECT_EQ(ProgressOfKr().activity, "waiting with its update for room on the coordinator's disk");
  EXPECT_EQ(ProgressOfKr().step_count, 0U);
  EXPECT_EQ(TimelineOfKr(), "waiting");

  SayOfKr("training", 630, 640);  // As it does at least three times a lease.
  EXPECT_EQ(ProgressOfKr().activity, kWaitsForRoom);
  EXPECT_EQ(TimelineOfKr(), "waiting");

  SayOfKr("uploading", 26, 51);
  EXPECT_EQ(ProgressOfKr().activity, "uploading");
  EXPECT_EQ(ProgressOfKr().step, 26U);
  EXPECT_EQ(TimelineOfKr(), "uploading");
}

TEST_F(UploadQuotaTest, UpdateThatWaitsForRoomIsSeenInTheListOfMembers) {
  const std::string waits = absl::StrCat(kWaitsForRoom, ": ", kr_task_.key().job_id(), " round 1");
  FillSpool();
  ASSERT_THAT(OpenAs("kr-lab/w", kr_task_), StatusIs(absl::StatusCode::kResourceExhausted));
  CatchUp();
  EXPECT_EQ(workers_->Snapshot()[1].activity, waits);

  // As the service does with what the worker repeats, before it tells the job.
  workers_->SetActivity(WorkerId("kr-lab/w"), "queued");
  SayOfKr("queued", 0, 0);
  EXPECT_EQ(workers_->Snapshot()[1].activity, waits);
}

TEST_F(UploadQuotaTest, DiskThatFillsWhileAnUpdateComesIsSaidAtOnce) {
  SayOfKr("uploading", 0, 51);
  ASSERT_OK_AND_ASSIGN(const auto upload, OpenAs("kr-lab/w", kr_task_));
  files_.FailWrites("kr-lab", 1);

  EXPECT_THAT(upload->Append(0, UpdateBytes(1, 1)), StatusIs(absl::StatusCode::kResourceExhausted));
  CatchUp();

  EXPECT_EQ(ProgressOfKr().activity, kWaitsForRoom);
}

TEST_F(UploadQuotaTest, LackOfRoomIsLoggedOnceAnAttempt) {
  FillSpool();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(OpenAs("kr-lab/w", kr_task_), StatusIs(absl::StatusCode::kResourceExhausted));
  }
  CatchUp();

  const std::string logged = testing::internal::GetCapturedStderr();

  EXPECT_THAT(logged, AllOf(HasSubstr("update put off"), HasSubstr("worker=kr-lab/w"),
                            HasSubstr("limits.spoolBytesMax")));
  const std::vector<std::string> around = absl::StrSplit(logged, "update put off");
  EXPECT_EQ(around.size(), 2U) << logged;
}

TEST_F(UploadQuotaTest, AttemptThatEndsForWantOfRoomSaysSo) {
  FillSpool();
  ASSERT_THAT(OpenAs("kr-lab/w", kr_task_), StatusIs(absl::StatusCode::kResourceExhausted));
  CatchUp();

  clock_.Jump(absl::Hours(2));  // Past the deadline.
  WaitFor(*job_, [this](const JobView&) { return job_->Rounds()[0]->HasEnded(); });

  EXPECT_THAT(job_->Rounds()[0]->reason,
              HasSubstr("deadline passed with 1 of 2 updates, for 1 more there was no room on the "
                        "coordinator's disk"));
}

TEST_F(UploadQuotaTest, AcceptedUpdateKeepsItsRoomUntilItsRoundHasEnded) {
  ASSERT_THAT(Upload("fr-lab/w", fr_task_, 1, 1), IsOk());
  EXPECT_THAT(OpenAs("kr-lab/w", kr_task_), StatusIs(absl::StatusCode::kResourceExhausted));

  job_->Cancel("enough", [](const absl::Status&) {});
  WaitForEnd(*job_);
  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  EXPECT_EQ(spool_->space().present_bytes(), 0U);
}

}  // namespace
}  // namespace entente::engine
