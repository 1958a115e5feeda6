// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/idle_cut.h"

#include <gmock/gmock.h>

#include "absl/time/clock.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

// A peer that moves does so well within the two seconds, on a busy machine as well.
class IdleCutTest : public ServiceTest {
 protected:
  IdleCutTest()
      : ServiceTest({.idle_max = absl::Seconds(2), .transfers_max = 1}),
        worker_(AttachWorker("fr-lab/w")),
        job_(Submit(RecipeOf(1, 1))),
        task_(worker_->WaitForTask(0)) {}

  const std::shared_ptr<engine::RecordingConnection> worker_;
  const std::shared_ptr<engine::JobEngine> job_;
  const v1::Task task_;
};

TEST_F(IdleCutTest, SenderThatStallsIsCutAndGoesOnWhereItStood) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto context = Context();
  v1::UploadReceipt receipt;
  const auto writer = stub->Upload(context.get(), &receipt);
  v1::UploadMessage message;
  *message.mutable_header() = header;
  writer->Write(message);
  message.mutable_chunk()->set_data(bytes.substr(0, 11));
  writer->Write(message);

  const grpc::Status status = writer->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("sent nothing for 2s (limits.transferIdleMax)"));
  v1::UploadOffset offset;
  grpc::Status asked;
  do {  // The peer may know before the file and the one place are let go.
    asked = stub->GetUploadOffset(Context().get(), header, &offset);
  } while (asked.error_code() == grpc::StatusCode::UNAVAILABLE ||
           asked.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(asked.ok()) << asked.error_message();
  EXPECT_EQ(offset.offset(), 11U);
  EXPECT_EQ(spool_->space().present_bytes(), 11U);
  EXPECT_EQ(spool_->space().promised_bytes(), 0U);
}

TEST_F(IdleCutTest, SenderThatSaysNothingAtAllIsCut) {
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto context = Context();
  v1::UploadReceipt receipt;

  const grpc::Status status = stub->Upload(context.get(), &receipt)->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

class HeaderWaitTest : public ServiceTest {
 protected:
  HeaderWaitTest() : ServiceTest({.upload_header_wait_max = absl::Milliseconds(300)}) {}
};

TEST_F(HeaderWaitTest, UploadWithoutAHeaderIsCutLongBeforeAnIdleOne) {
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto context = Context();
  v1::UploadReceipt receipt;

  const grpc::Status status = stub->Upload(context.get(), &receipt)->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(),
            "the sender sent no header for 300ms; an upload begins with one");
}

TEST_F(IdleCutTest, ReaderThatDoesNotReadIsCutAndItsPlaceIsFree) {
  const std::string path = models_->TemporaryPath("large");
  // Far more than gRPC sends ahead.
  ASSERT_TRUE(WriteTextFile(files_, path, std::string(64 << 20, 'x')).ok());
  v1::DownloadRequest request;
  request.set_digest(models_->Adopt(path).value().ToHex());
  const auto channel = AsSubmitter();
  const auto stub = v1::TransferService::NewStub(channel);
  const auto context = Context();
  const auto reader = stub->Download(context.get(), request);
  v1::Chunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));

  v1::DownloadRequest small;
  small.set_digest(task_.model_digest());
  std::string bytes;
  grpc::Status other;
  do {  // Nobody reads meanwhile.
    absl::SleepFor(absl::Milliseconds(10));
    other = Download(channel, small, &bytes);
  } while (other.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  while (reader->Read(&chunk)) {
  }
  const grpc::Status status = reader->Finish();

  EXPECT_TRUE(other.ok()) << other.error_message();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("read nothing for 2s"));
}

}  // namespace
}  // namespace entente::service
