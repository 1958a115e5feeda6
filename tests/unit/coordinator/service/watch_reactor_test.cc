// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/watch_reactor.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

class WatchReactorTest : public ServiceTest {
 protected:
  WatchReactorTest() : worker_(AttachWorker("fr-lab/w")), job_(Submit(RecipeOf(1, 1))) {
    request_.set_job_id(job_->description().id.value());
  }

  const std::shared_ptr<engine::RecordingConnection> worker_;
  const std::shared_ptr<engine::JobEngine> job_;
  v1::WatchJobRequest request_;
};

TEST_F(WatchReactorTest, WatchShowsTheJobAtOnceAndEndsWithIt) {
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;
  ASSERT_TRUE(reader->Read(&job));
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);

  ASSERT_TRUE(EngineTest::Upload("fr-lab/w", worker_->WaitForTask(0), 1, 1).ok());

  while (reader->Read(&job)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED);
}

TEST_F(WatchReactorTest, WatchOfAnEndedJobShowsItOnce) {
  ASSERT_TRUE(EngineTest::Upload("fr-lab/w", worker_->WaitForTask(0), 1, 1).ok());
  WaitForEnd(*job_);
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;

  EXPECT_TRUE(reader->Read(&job));
  EXPECT_FALSE(reader->Read(&job));
  EXPECT_TRUE(reader->Finish().ok());
}

// The pause between two states is not one of the day's time.
TEST_F(WatchReactorTest, ClockThatIsSetBackADayDoesNotFreezeAWatch) {
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;
  ASSERT_TRUE(reader->Read(&job));

  clock_.Jump(-absl::Hours(24));

  ASSERT_TRUE(EngineTest::Upload("fr-lab/w", worker_->WaitForTask(0), 1, 1).ok());

  while (reader->Read(&job)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED);
}

TEST_F(WatchReactorTest, CoordinatorThatStopsEndsOpenWatchesAtOnce) {
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;
  ASSERT_TRUE(reader->Read(&job));

  watches_.EndAll(absl::UnavailableError("the coordinator is stopping"));

  while (reader->Read(&job)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the coordinator is stopping");
}

TEST_F(WatchReactorTest, WatchThatComesWhileTheCoordinatorStopsEndsAtOnce) {
  watches_.EndAll(absl::UnavailableError("the coordinator is stopping"));
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;

  while (reader->Read(&job)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WatchReactorTest, ReaderThatGoesAwayLeavesNothingBehind) {
  const auto context = Context();
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  const auto reader = stub->WatchJob(context.get(), request_);
  v1::Job job;
  ASSERT_TRUE(reader->Read(&job));

  context->TryCancel();

  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_TRUE(EngineTest::Upload("fr-lab/w", worker_->WaitForTask(0), 1, 1).ok());
  WaitForEnd(*job_);
}

}  // namespace
}  // namespace entente::service
