// SPDX-License-Identifier: Apache-2.0
#include "worker/session/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/limits.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/fake_transfer_service.h"
#include "tests/unit/worker/session/in_process_server.h"
#include "tests/unit/worker/session/session_examples.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UploadTest : public testing::Test {
 protected:
  UploadTest() : server_(&service_), stub_(v1::TransferService::NewStub(server_.Channel())) {}

  absl::Status Run(const std::string& content) {
    const std::string path = folder_.Write("update", content);
    v1::UploadHeader header;
    *header.mutable_update()->mutable_key() = SomeTask().key();
    header.set_digest(Sha256Of(content).ToHex());
    header.set_total_bytes(content.size());
    auto file = files_.OpenForRead(path);
    EXPECT_THAT(file, IsOk());
    Upload upload(stub_.get(), &random_, &pace_, header, *std::move(file),
                  {.compresses = compresses_, .trace = TraceContext::Named("toy-1")});
    return upload.Run([this](uint64_t bytes, uint64_t) { progress_.push_back(bytes); }, cancel_);
  }

  TempFolder folder_;
  PosixFileSystem files_;
  SystemRandomSource random_;
  SystemClock clock_;
  TokenBucket pace_{&clock_, 0};
  FakeTransferService service_;
  InProcessServer server_;
  std::unique_ptr<v1::TransferService::StubInterface> stub_;
  CancelToken cancel_;
  std::vector<uint64_t> progress_;
  bool compresses_ = false;
};

TEST_F(UploadTest, SendsTheFileInChunks) {
  const std::string content(limits::kTransferChunkBytes + 10, 'x');

  ASSERT_THAT(Run(content), IsOk());

  EXPECT_EQ(service_.Uploaded(), content);
  EXPECT_THAT(progress_, ElementsAre(limits::kTransferChunkBytes, content.size()));
}

TEST_F(UploadTest, ABrokenLineIsContinuedWhereTheCoordinatorStands) {
  service_.cut_uploads_after = {3};

  ASSERT_THAT(Run("0123456789"), IsOk());

  EXPECT_EQ(service_.Uploaded(), "0123456789");
  EXPECT_THAT(service_.UploadOffsets(), ElementsAre(0, 3));
}

TEST_F(UploadTest, CompressedChunksAreGoneOnWithWhereTheCoordinatorStands) {
  const std::string content(2 * limits::kTransferChunkBytes + 10, 'x');
  compresses_ = true;
  service_.cut_uploads_after = {limits::kTransferChunkBytes / 2};

  ASSERT_THAT(Run(content), IsOk());

  EXPECT_EQ(service_.Uploaded(), content);
  EXPECT_LT(service_.SentBytes(), content.size() / 100);
}

TEST_F(UploadTest, AFullCoordinatorIsAskedAgain) {
  service_.upload_results = {{grpc::StatusCode::RESOURCE_EXHAUSTED, "no room"},
                             {grpc::StatusCode::DATA_LOSS, "wrong digest"}};

  EXPECT_THAT(Run("0123456789"), IsOk());
}

TEST_F(UploadTest, ACoordinatorThatDoesNotKnowUsIsAskedAgain) {
  service_.upload_results = {{grpc::StatusCode::UNAUTHENTICATED, "the certificate has expired"},
                             {grpc::StatusCode::PERMISSION_DENIED, "may not vouch for workers"}};

  EXPECT_THAT(Run("0123456789"), IsOk());

  EXPECT_EQ(service_.Uploaded(), "0123456789");
}

TEST_F(UploadTest, ARefusalEndsItWithTheCoordinatorsWords) {
  service_.upload_results = {{grpc::StatusCode::INVALID_ARGUMENT, "tensor \"w\" holds a NaN"}};
  EXPECT_THAT(Run("0123456789"),
              StatusIs(absl::StatusCode::kInvalidArgument, "tensor \"w\" holds a NaN"));

  service_.upload_results = {{grpc::StatusCode::FAILED_PRECONDITION, "round 3 has closed"}};
  EXPECT_THAT(Run("0123456789"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "round 3 has closed"));
}

TEST_F(UploadTest, WhatTheCoordinatorHasAlreadyIsNotSentAgain) {
  ASSERT_THAT(Run("0123456789"), IsOk());
  progress_.clear();

  ASSERT_THAT(Run("0123456789"), IsOk());

  EXPECT_EQ(service_.Uploaded(), "0123456789");
  EXPECT_THAT(progress_, IsEmpty());
}

TEST_F(UploadTest, BytesAreTakenFromThePace) {
  SimulatedClock clock;
  TokenBucket pace(&clock, 1000);
  const std::string content(1000, 'x');
  const std::string path = folder_.Write("update", content);
  v1::UploadHeader header;
  header.set_digest(Sha256Of(content).ToHex());
  header.set_total_bytes(content.size());
  ASSERT_OK_AND_ASSIGN(auto file, files_.OpenForRead(path));
  Upload upload(stub_.get(), &random_, &pace, header, std::move(file),
                {.compresses = false, .trace = TraceContext::Named("toy-1")});

  ASSERT_THAT(upload.Run([](uint64_t, uint64_t) {}, cancel_), IsOk());

  EXPECT_EQ(pace.Take(500), absl::Milliseconds(500));  // Nothing is left.
}

TEST_F(UploadTest, CancellingEndsIt) {
  cancel_.Cancel("the round closed");

  EXPECT_THAT(Run("0123456789"), StatusIs(absl::StatusCode::kCancelled, "the round closed"));
  EXPECT_EQ(service_.Uploaded(), "");
}

}  // namespace
}  // namespace entente::worker
