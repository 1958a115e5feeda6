// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_slots.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

constexpr char kCaller[] = "spiffe://fr-lab.example/worker/w";
constexpr char kOther[] = "spiffe://kr-lab.example/worker/w";

TEST(TransferSlotsTest, SlotIsTakenUntilItIsDestroyed) {
  TransferSlots slots({.all_max = 2, .of_one_caller_max = 2});
  ASSERT_OK_AND_ASSIGN(TransferSlot first, slots.Take(kCaller));
  {
    ASSERT_OK_AND_ASSIGN(const TransferSlot second, slots.Take(kCaller));
    EXPECT_THAT(slots.Take(kOther),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 transfers")));
  }
  EXPECT_THAT(slots.Take(kCaller), IsOk());

  first = TransferSlot();

  ASSERT_OK_AND_ASSIGN(const TransferSlot third, slots.Take(kCaller));
  EXPECT_THAT(slots.Take(kCaller), IsOk());
}

TEST(TransferSlotsTest, NoCallerHasMoreThanItsShare) {
  TransferSlots slots({.all_max = 3, .of_one_caller_max = 2});
  ASSERT_OK_AND_ASSIGN(const TransferSlot first, slots.Take(kCaller));
  ASSERT_OK_AND_ASSIGN(TransferSlot second, slots.Take(kCaller));

  EXPECT_THAT(
      slots.Take(kCaller),
      StatusIs(absl::StatusCode::kResourceExhausted,
               "2 transfers of spiffe://fr-lab.example/worker/w are under way, as many as one "
               "caller may have of the 3 that this coordinator takes "
               "(limits.transfersPerCallerMax); try again when one has ended"));
  EXPECT_THAT(slots.Take(kOther), IsOk());

  second = TransferSlot();

  EXPECT_THAT(slots.Take(kCaller), IsOk());
}

TEST(TransferSlotsTest, SlotMayOutliveTheRest) {
  TransferSlot slot;
  {
    TransferSlots slots({.all_max = 1, .of_one_caller_max = 1});
    ASSERT_OK_AND_ASSIGN(TransferSlot taken, slots.Take(kCaller));
    slot = std::move(taken);
  }
}

// An upload that says nothing, and so keeps its place until it is destroyed. It may come while
// another call has the last place; then it tries again.
class SilentUpload {
 public:
  explicit SilentUpload(v1::TransferService::Stub* stub) : stub_(*stub) { Begin(); }
  ~SilentUpload() {
    context_->TryCancel();
    waiting_.join();
  }

  void TryAgainIfRefused() {
    if (!is_refused_) return;
    waiting_.join();
    Begin();
  }

 private:
  void Begin() {
    is_refused_ = false;
    context_ = std::make_unique<grpc::ClientContext>();
    writer_ = stub_.Upload(context_.get(), &receipt_);
    waiting_ = std::thread([this] {
      is_refused_ = writer_->Finish().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    });
  }

  v1::TransferService::Stub& stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  v1::UploadReceipt receipt_;
  std::unique_ptr<grpc::ClientWriter<v1::UploadMessage>> writer_;
  std::atomic<bool> is_refused_ = false;
  std::thread waiting_;  // For the upload's end.
};

class TransferCapTest : public ServiceTest {
 protected:
  TransferCapTest() : ServiceTest({.transfers_max = 1}) {}
};

TEST_F(TransferCapTest, TransferBeyondTheCapIsToldToTryAgain) {
  const auto channel = AsSubmitter();
  const auto stub = v1::TransferService::NewStub(channel);
  v1::DownloadRequest request;
  request.set_digest(StoreModel(1, 2).ToHex());
  std::string bytes;
  {
    SilentUpload upload(stub.get());
    grpc::Status status;
    do {  // Until the upload has reached the server, the slot is free.
      upload.TryAgainIfRefused();
      status = Download(channel, request, &bytes);
    } while (status.ok());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("(limits.transfersMax); try again later"));
  }
  grpc::Status status;
  do {
    status = Download(channel, request, &bytes);
  } while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

class TransferShareTest : public ServiceTest {
 protected:
  TransferShareTest() : ServiceTest({.transfers_max = 4, .transfers_per_caller_max = 2}) {}
};

TEST_F(TransferShareTest, StrangerWithItsShareKeepsNobodyElseOut) {
  const auto worker = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  const std::string bytes = UpdateBytes(1, 1);
  const auto channel = ChannelAs("fr-lab.example", "observer", "o");
  const auto stub = v1::TransferService::NewStub(channel);
  SilentUpload first(stub.get());
  SilentUpload second(stub.get());
  v1::DownloadRequest request;
  request.set_digest(task.model_digest());
  std::string ignored;
  grpc::Status status;
  do {  // Until the uploads have reached the server.
    first.TryAgainIfRefused();
    second.TryAgainIfRefused();
    status = Download(channel, request, &ignored);
  } while (status.ok());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("2 transfers of spiffe://fr-lab.example/observer/o "
                                                "are under way"));
  v1::UploadOffset offset;
  EXPECT_EQ(
      stub->GetUploadOffset(Context().get(), UploadHeaderOf(task, bytes), &offset).error_code(),
      grpc::StatusCode::RESOURCE_EXHAUSTED);

  const grpc::Status uploaded = Upload(AsWorker(), UploadHeaderOf(task, bytes), bytes);

  EXPECT_TRUE(uploaded.ok()) << uploaded.error_message();
}

}  // namespace
}  // namespace entente::service
