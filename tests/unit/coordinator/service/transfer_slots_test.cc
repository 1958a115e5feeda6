// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_slots.h"

#include <gmock/gmock.h>

#include <utility>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

TEST(TransferSlotsTest, SlotIsTakenUntilItIsDestroyed) {
  TransferSlots slots(2);
  ASSERT_OK_AND_ASSIGN(TransferSlot first, slots.Take());
  {
    ASSERT_OK_AND_ASSIGN(const TransferSlot second, slots.Take());
    EXPECT_THAT(slots.Take(),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 transfers")));
  }
  EXPECT_THAT(slots.Take(), IsOk());

  first = TransferSlot();

  ASSERT_OK_AND_ASSIGN(const TransferSlot third, slots.Take());
  EXPECT_THAT(slots.Take(), IsOk());
}

TEST(TransferSlotsTest, SlotMayOutliveTheRest) {
  TransferSlot slot;
  {
    TransferSlots slots(1);
    ASSERT_OK_AND_ASSIGN(TransferSlot taken, slots.Take());
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

}  // namespace
}  // namespace entente::service
