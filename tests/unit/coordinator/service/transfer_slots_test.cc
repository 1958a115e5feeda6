// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_slots.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

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
    grpc::ClientContext context;
    v1::UploadReceipt receipt;
    const auto upload = stub->Upload(&context, &receipt);
    grpc::Status status;
    do {  // Until the upload has reached the server, the slot is free.
      status = Download(channel, request, &bytes);
    } while (status.ok());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("(limits.transfersMax); try again later"));
    context.TryCancel();
    upload->Finish();
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
  struct Silent {
    grpc::ClientContext context;
    v1::UploadReceipt receipt;
    std::unique_ptr<grpc::ClientWriter<v1::UploadMessage>> writer;
  };
  std::vector<std::unique_ptr<Silent>> streams;
  for (int i = 0; i < 2; ++i) {
    streams.push_back(std::make_unique<Silent>());
    streams.back()->writer = stub->Upload(&streams.back()->context, &streams.back()->receipt);
  }
  v1::DownloadRequest request;
  request.set_digest(task.model_digest());
  std::string ignored;
  grpc::Status status;
  do {  // Until the uploads have reached the server.
    status = Download(channel, request, &ignored);
  } while (status.ok());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("2 transfers of spiffe://fr-lab.example/observer/o "
                                                "are under way"));
  v1::UploadOffset offset;
  EXPECT_EQ(stub->GetUploadOffset(Context().get(), HeaderOf(task, bytes), &offset).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);

  const grpc::Status uploaded = Upload(AsWorker(), HeaderOf(task, bytes), bytes);

  EXPECT_TRUE(uploaded.ok()) << uploaded.error_message();
  for (const auto& stream : streams) {
    stream->context.TryCancel();
    stream->writer->Finish();
  }
}

}  // namespace
}  // namespace entente::service
