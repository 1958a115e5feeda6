// SPDX-License-Identifier: Apache-2.0
// What a transfer may have in memory while its other side does not keep up.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "common/base/executor.h"
#include "common/base/limits.h"
#include "common/tensor/safetensors.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

// The value once it has not changed for half a second. On a busy machine it may be one that would
// still have grown, so it is good for an upper bound only.
uint64_t OnceStill(absl::FunctionRef<uint64_t()> value) {
  constexpr int kLooks = 20;
  uint64_t last = value();
  for (int unchanged = 0; unchanged < kLooks;) {
    absl::SleepFor(absl::Milliseconds(25));
    const uint64_t now = value();
    unchanged = now == last ? unchanged + 1 : 0;
    last = now;
  }
  return last;
}

class BackpressureTest : public ServiceTest {
 protected:
  static constexpr int kWindowBytes = 64 << 10;
  static constexpr uint64_t kMessageBytes = 16 << 10;

  BackpressureTest() : ServiceTest({.window_bytes = kWindowBytes}) {}

  // The file of a model of so many zeros.
  static std::string ModelOf(uint64_t parameters) {
    return SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {parameters}}})) +
           std::string(parameters * sizeof(float), '\0');
  }

  // Uploads a model in small messages, and says how many of its bytes gRPC has taken so far.
  static grpc::Status UploadModel(const std::shared_ptr<grpc::Channel>& channel,
                                  const std::string& model, std::atomic<uint64_t>* taken) {
    const auto context = Context();
    v1::UploadReceipt receipt;
    const auto stub = v1::TransferService::NewStub(channel);
    const auto writer = stub->Upload(context.get(), &receipt);
    v1::UploadMessage message;
    v1::UploadHeader& header = *message.mutable_header();
    header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
    header.set_digest(Sha256Of(model).ToHex());
    header.set_total_bytes(model.size());
    bool goes_on = writer->Write(message);
    while (goes_on && *taken < model.size()) {
      message.mutable_chunk()->set_offset(*taken);
      message.mutable_chunk()->set_data(model.substr(*taken, kMessageBytes));
      goes_on = writer->Write(message);
      if (goes_on) *taken += message.chunk().data().size();
    }
    writer->WritesDone();
    return writer->Finish();
  }
};

TEST_F(BackpressureTest, SenderWaitsForASlowDiskOnceTheWindowIsFull) {
  const std::string model = ModelOf(200'000);
  const std::shared_ptr<grpc::Channel> channel = AsSubmitter();
  std::atomic<uint64_t> taken{0};
  grpc::Status status(grpc::StatusCode::UNKNOWN, "the upload has not ended");
  {
    ThreadPool sender(1);
    const absl::Cleanup let_go = [this] { files_.LetWritesGo(); };
    files_.HoldWrites(".part");
    sender.Post([&] { status = UploadModel(channel, model, &taken); });
    ASSERT_TRUE(Eventually([&] { return files_.held_writes() > 0; }));

    // Beside the window: the message that the disk holds up, one that gRPC lets pass when a message
    // is asked for, and what is under way.
    EXPECT_LE(OnceStill([&] { return taken.load(); }), kWindowBytes + 4 * kMessageBytes);
    EXPECT_EQ(files_.held_writes(), 1);
  }  // Lets the disk go on, and waits for the sender.

  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(taken.load(), model.size());
}

TEST_F(BackpressureTest, DownloadThatNobodyReadsStopsOnceTheReadersWindowIsFull) {
  constexpr uint64_t kSentMax = limits::kDownloadWindowBytes + 3 * limits::kTransferChunkBytes;
  const std::string model = ModelOf(6 << 20);
  ASSERT_GT(model.size(), kSentMax + limits::kTransferChunkBytes);
  const std::string path = models_->TemporaryPath("zeros");
  ASSERT_THAT(WriteTextFile(files_, path, model), IsOk());
  const auto worker = AttachWorker("fr-lab/w");
  const auto submitted = jobs_->Submit({.recipe = RecipeOf(1, 1),
                                        .submitter = "spiffe://alliance.example/submitter/s",
                                        .token = "",
                                        .initial_model = *models_->Adopt(path)});
  ASSERT_THAT(submitted, IsOk());
  const std::shared_ptr<engine::JobEngine> job = submitted->job;
  const v1::Task task = worker->WaitForTask(0);
  v1::DownloadRequest request;
  request.set_digest(task.model_digest());
  request.set_job_id(task.key().job_id());
  const auto context = Context();
  const auto stub = v1::TransferService::NewStub(AsWorker());

  const auto reader = stub->Download(context.get(), request);
  ASSERT_TRUE(Eventually([&] { return job->View().bytes_down > 0; }));
  EXPECT_LE(OnceStill([&] { return job->View().bytes_down; }), kSentMax);

  std::string bytes;
  for (v1::Chunk chunk; reader->Read(&chunk);) bytes += chunk.data();
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(bytes == model);  // Not EXPECT_EQ, which would print them.
  EXPECT_EQ(job->View().bytes_down, model.size());
  // Nor is a file read as a whole, by whoever takes a model in, checks it and sends it.
  EXPECT_LE(files_.TakeReads().largest_bytes, uint64_t{limits::kTransferChunkBytes});
}

}  // namespace
}  // namespace entente::service
