// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/job_service.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JobServiceTest : public ServiceTest {
 protected:
  v1::SubmitJobRequest RequestOf(const v1::Recipe& recipe) {
    v1::SubmitJobRequest request;
    *request.mutable_recipe() = recipe;
    request.set_initial_model_digest(StoreModel(1, 2).ToHex());
    request.set_token("t");
    return request;
  }
  grpc::Status SubmitAs(const std::shared_ptr<grpc::Channel>& channel,
                        const v1::SubmitJobRequest& request) {
    const auto context = Context();
    return v1::JobService::NewStub(channel)->SubmitJob(context.get(), request, &submitted_);
  }

  v1::SubmitJobResponse submitted_;
};

TEST_F(JobServiceTest, SubmittedJobIsListedAndShown) {
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(2, 1))).ok());
  EXPECT_TRUE(submitted_.created());

  v1::ListJobsResponse list;
  ASSERT_TRUE(stub->ListJobs(Context().get(), {}, &list).ok());
  ASSERT_EQ(list.jobs_size(), 1);
  EXPECT_EQ(list.jobs(0).submitter(), "spiffe://alliance.example/submitter/s");
  v1::GetJobRequest get;
  get.set_job_id(list.jobs(0).id());
  v1::Job job;
  ASSERT_TRUE(stub->GetJob(Context().get(), get, &job).ok());
  EXPECT_EQ(job.recipe().name(), "test");
}

TEST_F(JobServiceTest, TraceOfTheCallIsTheJobs) {
  const auto context = Context();
  context->AddMetadata("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");

  ASSERT_TRUE(v1::JobService::NewStub(AsSubmitter())
                  ->SubmitJob(context.get(), RequestOf(RecipeOf(1, 1)), &submitted_)
                  .ok());

  EXPECT_EQ(submitted_.job().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(JobServiceTest, MalformedTraceIsReplacedByOneOfTheJobsOwn) {
  const auto context = Context();
  context->AddMetadata("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01");

  ASSERT_TRUE(v1::JobService::NewStub(AsSubmitter())
                  ->SubmitJob(context.get(), RequestOf(RecipeOf(1, 1)), &submitted_)
                  .ok());

  EXPECT_EQ(submitted_.job().trace_id().size(), 32U);
  EXPECT_NE(submitted_.job().trace_id(), std::string(32, '0'));
}

TEST_F(JobServiceTest, RefusedSubmitIsLoggedWithItsTrace) {
  v1::SubmitJobRequest request = RequestOf(RecipeOf(1, 1));
  request.set_initial_model_digest("abc");
  const auto context = Context();
  context->AddMetadata("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const auto stub = v1::JobService::NewStub(AsSubmitter());

  testing::internal::CaptureStderr();
  const grpc::Status status = stub->SubmitJob(context.get(), request, &submitted_);
  const std::string logged = testing::internal::GetCapturedStderr();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(logged, AllOf(HasSubstr("call refused"),
                            HasSubstr("caller=spiffe://alliance.example/submitter/s"),
                            HasSubstr("trace=4bf92f3577b34da6a3ce929d0e0e4736")));
}

TEST_F(JobServiceTest, RefusedCallAboutAJobIsLoggedWithJobRoundWorkerAndTrace) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  v1::CancelJobRequest cancel;
  cancel.set_job_id(submitted_.job().id());
  v1::Job job;
  const auto stub = v1::JobService::NewStub(AsWorker());

  testing::internal::CaptureStderr();
  const grpc::Status status = stub->CancelJob(Context().get(), cancel, &job);
  const std::string logged = testing::internal::GetCapturedStderr();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(logged, AllOf(HasSubstr("call refused"), HasSubstr("worker=fr-lab/w"),
                            HasSubstr("round=1"), HasSubstr("job=" + submitted_.job().id()),
                            HasSubstr("trace=" + submitted_.job().trace_id())));
}

TEST_F(JobServiceTest, RefusedCancelOfSomebodyElsesJobIsLogged) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  v1::CancelJobRequest cancel;
  cancel.set_job_id(submitted_.job().id());
  v1::Job job;
  const auto stub = v1::JobService::NewStub(ChannelAs("alliance.example", "submitter", "other"));

  testing::internal::CaptureStderr();
  const grpc::Status status = stub->CancelJob(Context().get(), cancel, &job);
  const std::string logged = testing::internal::GetCapturedStderr();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(logged, AllOf(HasSubstr("call refused"), HasSubstr("submitter/other"),
                            HasSubstr("job=" + submitted_.job().id())));
}

TEST_F(JobServiceTest, WorkerAndObserverMayNotSubmit) {
  for (const auto& channel : {AsWorker(), ChannelAs("alliance.example", "observer")}) {
    const grpc::Status status = SubmitAs(channel, RequestOf(RecipeOf(1, 1)));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr("may not submit jobs"));
  }
}

TEST_F(JobServiceTest, BadDigestIsInvalid) {
  v1::SubmitJobRequest request = RequestOf(RecipeOf(1, 1));
  request.set_initial_model_digest("abc");

  EXPECT_EQ(SubmitAs(AsSubmitter(), request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(JobServiceTest, UnknownJobIsNotFoundEverywhere) {
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  v1::GetRoundRequest round;
  round.set_job_id("none");
  v1::Round shown;
  v1::CancelJobRequest cancel;
  cancel.set_job_id("none");
  v1::Job job;
  v1::WatchJobRequest watch;
  watch.set_job_id("none");
  const auto context = Context();
  const auto reader = stub->WatchJob(context.get(), watch);

  EXPECT_EQ(stub->GetRound(Context().get(), round, &shown).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(stub->CancelJob(Context().get(), cancel, &job).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_FALSE(reader->Read(&job));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, SubmitterCancelsItsOwnJobOnceAndNotAnothers) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  v1::CancelJobRequest cancel;
  cancel.set_job_id(submitted_.job().id());
  cancel.set_reason("wrong data set");
  v1::Job job;
  const auto other = v1::JobService::NewStub(ChannelAs("alliance.example", "submitter", "other"));
  const auto own = v1::JobService::NewStub(AsSubmitter());

  EXPECT_EQ(other->CancelJob(Context().get(), cancel, &job).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(own->CancelJob(Context().get(), cancel, &job).ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(job.reason(), HasSubstr("/submitter/s: wrong data set"));
  EXPECT_EQ(own->CancelJob(Context().get(), cancel, &job).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(JobServiceTest, SubmitterPausesItsOwnJobAndAnOperatorResumesIt) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  v1::PauseJobRequest pause;
  pause.set_job_id(submitted_.job().id());
  pause.set_reason("the power is cut tonight");
  v1::ResumeJobRequest resume;
  resume.set_job_id(submitted_.job().id());
  v1::Job job;
  const auto other = v1::JobService::NewStub(ChannelAs("alliance.example", "submitter", "other"));
  const auto own = v1::JobService::NewStub(AsSubmitter());
  const auto op = v1::JobService::NewStub(ChannelAs("alliance.example", "operator"));

  const grpc::Status refused = other->PauseJob(Context().get(), pause, &job);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr("may not pause others' jobs"));
  ASSERT_TRUE(own->PauseJob(Context().get(), pause, &job).ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_PAUSED);
  EXPECT_EQ(job.reason(),
            "paused by spiffe://alliance.example/submitter/s: the power is cut tonight");
  EXPECT_EQ(other->ResumeJob(Context().get(), resume, &job).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(op->ResumeJob(Context().get(), resume, &job).ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
}

TEST_F(JobServiceTest, UnknownJobIsNeitherPausedNorResumed) {
  const auto own = v1::JobService::NewStub(AsSubmitter());
  v1::PauseJobRequest pause;
  pause.set_job_id("none");
  v1::ResumeJobRequest resume;
  resume.set_job_id("none");
  v1::Job job;

  EXPECT_EQ(own->PauseJob(Context().get(), pause, &job).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(own->ResumeJob(Context().get(), resume, &job).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, OperatorCancelsAnybodysJob) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  v1::CancelJobRequest cancel;
  cancel.set_job_id(submitted_.job().id());
  v1::Job job;

  EXPECT_TRUE(v1::JobService::NewStub(ChannelAs("alliance.example", "operator"))
                  ->CancelJob(Context().get(), cancel, &job)
                  .ok());
}

TEST_F(JobServiceTest, RoundsAreListedAndTheLatestAttemptIsShown) {
  ASSERT_TRUE(SubmitAs(AsSubmitter(), RequestOf(RecipeOf(1, 1))).ok());
  const auto stub = v1::JobService::NewStub(AsSubmitter());
  v1::ListRoundsRequest list;
  list.set_job_id(submitted_.job().id());
  v1::ListRoundsResponse rounds;
  v1::GetRoundRequest get;
  get.set_job_id(submitted_.job().id());
  v1::Round round;

  ASSERT_TRUE(stub->ListRounds(Context().get(), list, &rounds).ok());
  EXPECT_EQ(rounds.rounds_size(), 1);
  ASSERT_TRUE(stub->GetRound(Context().get(), get, &round).ok());
  EXPECT_EQ(round.phase(), v1::ROUND_PHASE_PLANNED);
  get.set_round_index(7);
  EXPECT_EQ(stub->GetRound(Context().get(), get, &round).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(JobServiceTest, MessageLargerThanTheLimitIsRefused) {
  v1::SubmitJobRequest request = RequestOf(RecipeOf(1, 1));
  request.mutable_recipe()->set_purpose(std::string(6 << 20, 'x'));

  EXPECT_EQ(SubmitAs(AsSubmitter(), request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace entente::service
