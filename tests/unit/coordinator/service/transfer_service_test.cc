// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_service.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

class TransferServiceTest : public ServiceTest {
 protected:
  TransferServiceTest()
      : worker_(AttachWorker("fr-lab/w")),
        job_(Submit(RecipeOf(1, 1))),
        task_(worker_->WaitForTask(0)) {}

  v1::DownloadRequest BaseModel() const {
    v1::DownloadRequest request;
    request.set_digest(task_.model_digest());
    request.set_job_id(task_.key().job_id());
    return request;
  }

  const std::shared_ptr<engine::RecordingConnection> worker_;
  const std::shared_ptr<engine::JobEngine> job_;
  const v1::Task task_;
};

TEST_F(TransferServiceTest, WorkerDownloadsItsBaseModelAndTheBytesAreCounted) {
  std::string bytes;

  ASSERT_TRUE(Download(AsWorker(), BaseModel(), &bytes).ok());

  EXPECT_EQ(Sha256Of(bytes).ToHex(), task_.model_digest());
  EXPECT_EQ(job_->View().bytes_down, bytes.size());
}

TEST_F(TransferServiceTest, DownloadContinuesAtAnOffset) {
  std::string whole;
  ASSERT_TRUE(Download(AsWorker(), BaseModel(), &whole).ok());
  v1::DownloadRequest request = BaseModel();
  request.set_offset(whole.size() - 3);
  std::string rest;

  ASSERT_TRUE(Download(AsWorker(), request, &rest).ok());
  EXPECT_EQ(rest, whole.substr(whole.size() - 3));
  request.set_offset(whole.size() + 1);
  EXPECT_EQ(Download(AsWorker(), request, &rest).error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(TransferServiceTest, WorkerOutsideTheCohortGetsNoModel) {
  std::string bytes;

  const grpc::Status status = Download(ChannelAs("kr-lab.example", "worker"), BaseModel(), &bytes);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(bytes.empty());
}

TEST_F(TransferServiceTest, UploadedUpdateIsAcceptedAndCountedForItsWorker) {
  const std::string bytes = UpdateBytes(1, 1);

  const grpc::Status status = Upload(AsWorker(), HeaderOf(task_, bytes), bytes);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(WaitForEnd(*job_).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(workers_->Snapshot()[0].bytes_up, bytes.size());
}

TEST_F(TransferServiceTest, TruncatedUploadSaysSoAndTheOffsetIsKnown) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = HeaderOf(task_, bytes);

  const grpc::Status cut = Upload(AsWorker(), header, bytes.substr(0, 11));
  v1::UploadOffset offset;
  ASSERT_TRUE(v1::TransferService::NewStub(AsWorker())
                  ->GetUploadOffset(Context().get(), header, &offset)
                  .ok());

  EXPECT_EQ(cut.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(offset.offset(), 11U);
}

TEST_F(TransferServiceTest, OverlongUploadIsRefused) {
  const std::string bytes = UpdateBytes(1, 1);

  EXPECT_EQ(Upload(AsWorker(), HeaderOf(task_, bytes), bytes + "more").error_code(),
            grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(TransferServiceTest, SubmitterUploadsAModelAndPullsItBack) {
  const std::string bytes = UpdateBytes(3, 4);
  v1::UploadHeader header;
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  v1::DownloadRequest request;
  request.set_digest(header.digest());
  std::string back;

  ASSERT_TRUE(Upload(AsSubmitter(), header, bytes).ok());
  ASSERT_TRUE(Download(AsSubmitter(), request, &back).ok());

  EXPECT_EQ(back, bytes);
  EXPECT_EQ(Upload(AsWorker(), header, bytes).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(TransferServiceTest, UploadWithoutAHeaderIsRefused) {
  const auto context = Context();
  v1::UploadReceipt receipt;
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto writer = stub->Upload(context.get(), &receipt);
  v1::UploadMessage message;
  message.mutable_chunk()->set_data("x");
  writer->Write(message);
  writer->WritesDone();

  const grpc::Status status = writer->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("must begin with a header"));
}

TEST_F(TransferServiceTest, ChunkLargerThanTheLimitIsRefused) {
  const std::string bytes(6 << 20, 'x');

  EXPECT_EQ(Upload(AsWorker(), HeaderOf(task_, UpdateBytes(1, 1)), bytes).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace entente::service
