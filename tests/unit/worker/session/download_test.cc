// SPDX-License-Identifier: Apache-2.0
#include "worker/session/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/fake_transfer_service.h"
#include "tests/unit/worker/session/in_process_server.h"
#include "tests/unit/worker/session/session_examples.h"

namespace entente::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kContent[] = "0123456789";

class DownloadTest : public testing::Test {
 protected:
  DownloadTest() : server_(&service_), stub_(v1::TransferService::NewStub(server_.Channel())) {
    auto cache = ModelCache::Open(&files_, folder_.path(), 100);
    EXPECT_THAT(cache, IsOk());
    cache_ = *std::move(cache);
    service_.files[Sha256Of(kContent).ToHex()] = kContent;
  }

  absl::StatusOr<std::string> Run(const Digest& digest = Sha256Of(kContent)) {
    Download download(stub_.get(), cache_.get(), &random_, &pace_,
                      {.digest = digest, .job_id = "toy-1", .trace = TraceContext::Named("toy-1")});
    const auto lease =
        download.Run([this](uint64_t bytes, uint64_t) { progress_.push_back(bytes); }, cancel_);
    if (!lease.ok()) return lease.status();
    return ReadTextFile(files_, lease->path(), 100);
  }

  TempFolder folder_;
  PosixFileSystem files_;
  SystemRandomSource random_;
  SystemClock clock_;
  TokenBucket pace_{&clock_, 0};
  FakeTransferService service_;
  InProcessServer server_;
  std::unique_ptr<v1::TransferService::StubInterface> stub_;
  std::unique_ptr<ModelCache> cache_;
  CancelToken cancel_;
  std::vector<uint64_t> progress_;
};

TEST_F(DownloadTest, BringsTheModelIntoTheCache) {
  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(progress_, ElementsAre(4, 8, 10));
}

TEST_F(DownloadTest, WhatIsInTheCacheIsNotAskedFor) {
  ASSERT_THAT(Run(), IsOk());
  ASSERT_THAT(Run(), IsOk());

  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0));
}

TEST_F(DownloadTest, ABrokenLineIsContinuedWhereItStood) {
  service_.cut_downloads_after = {2};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 8));
}

TEST_F(DownloadTest, CompressedChunksArriveAndAreGoneOnWithAfterACut) {
  const std::string model(100, 'x');
  service_.files[Sha256Of(model).ToHex()] = model;
  service_.compresses = true;
  service_.chunk_bytes = 40;
  service_.cut_downloads_after = {1};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run(Sha256Of(model)));

  EXPECT_EQ(content, model);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 40));
}

TEST_F(DownloadTest, ChunkThatCannotBeDecompressedIsAskedForAgain) {
  const std::string model(100, 'x');
  service_.files[Sha256Of(model).ToHex()] = model;
  service_.compresses = true;
  service_.chunk_bytes = 40;
  service_.chunks_to_spoil = 1;

  ASSERT_OK_AND_ASSIGN(const std::string content, Run(Sha256Of(model)));

  EXPECT_EQ(content, model);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0));
}

TEST_F(DownloadTest, WhatAnEarlierRunLeftIsContinued) {
  folder_.Write(Sha256Of(kContent).ToHex() + ".part", "01234");

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_EQ(service_.DownloadOffsets().back(), 5u);
}

TEST_F(DownloadTest, WrongBytesAreAskedForAgainAFewTimes) {
  service_.files[Sha256Of("other").ToHex()] = kContent;

  EXPECT_THAT(Run(Sha256Of("other")), StatusIs(absl::StatusCode::kDataLoss));

  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0, 0));
}

TEST_F(DownloadTest, AModelThatIsNotThereEndsIt) {
  EXPECT_THAT(Run(Sha256Of("none")),
              StatusIs(absl::StatusCode::kNotFound, "there is no such model"));
}

TEST_F(DownloadTest, AModelLargerThanTheCacheIsRefusedAtOnce) {
  service_.files[Sha256Of("large").ToHex()] = std::string(101, 'x');

  EXPECT_THAT(Run(Sha256Of("large")),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the cache may hold 100")));
  EXPECT_THAT(progress_, IsEmpty());
}

TEST_F(DownloadTest, BytesAreTakenFromThePace) {
  SimulatedClock clock;
  TokenBucket pace(&clock, 10);
  Download download(
      stub_.get(), cache_.get(), &random_, &pace,
      {.digest = Sha256Of(kContent), .job_id = "toy-1", .trace = TraceContext::Named("toy-1")});

  ASSERT_THAT(download.Run([](uint64_t, uint64_t) {}, cancel_), IsOk());

  EXPECT_EQ(pace.Take(5), absl::Milliseconds(500));  // Nothing is left.
}

TEST_F(DownloadTest, CancellingEndsIt) {
  cancel_.Cancel("the round closed");

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kCancelled, "the round closed"));
  EXPECT_THAT(service_.DownloadOffsets(), IsEmpty());
}

}  // namespace
}  // namespace entente::worker
