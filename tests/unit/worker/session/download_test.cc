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

using Chunks = FakeTransferService::BadChunks;

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

  // What is in the cache's folder.
  std::vector<std::string> Names() { return files_.ListFiles(folder_.path()).value(); }

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

TEST_F(DownloadTest, AGapIsAskedForAgain) {
  service_.bad_downloads = {Chunks{{0, "0123", 10}, {6, "6789", 0}}};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 4));
  EXPECT_THAT(Names(), ElementsAre(Sha256Of(kContent).ToHex()));
}

TEST_F(DownloadTest, ADownloadThatDoesNotBeginAtItsBeginIsAskedForAgain) {
  service_.bad_downloads = {Chunks{{4, "4567", 10}, {0, "0123", 0}}};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0));
}

TEST_F(DownloadTest, WhatIsHereAlreadyIsNotWrittenTwice) {
  // Where a chunk brings again what has come, its bytes are others.
  service_.bad_downloads = {
      Chunks{{0, "0123", 10}, {2, "xx45", 0}, {1, "xxxx", 0}, {0, "xxxxxx", 0}, {4, "xx6789", 0}}};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(progress_, ElementsAre(4, 6, 10));
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0));
}

TEST_F(DownloadTest, ChunksPastTheEndAreNotWritten) {
  service_.bad_downloads = {Chunks{{0, "0123456789x", 10}}, Chunks{{~uint64_t{0}, "x", 10}},
                            Chunks{{0, "0123", 10}, {4, "456789x", 0}}};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0, 0, 4));
  EXPECT_THAT(progress_, ElementsAre(4, 8, 10));
  EXPECT_THAT(Names(), ElementsAre(Sha256Of(kContent).ToHex()));
}

TEST_F(DownloadTest, WhatCameBeforeABadChunkIsThereForALaterTry) {
  const std::string digest = Sha256Of(kContent).ToHex();
  service_.bad_downloads = {Chunks{{0, "0123", 10}, {6, "6789", 0}}};
  {
    Download download(
        stub_.get(), cache_.get(), &random_, &pace_,
        {.digest = Sha256Of(kContent), .job_id = "toy-1", .trace = TraceContext::Named("toy-1")});
    // Gone when it is asked for again, so that the download ends.
    const auto forget_model = [this](uint64_t, uint64_t) { service_.files.clear(); };
    EXPECT_THAT(download.Run(forget_model, cancel_), StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_THAT(Names(), ElementsAre(digest + ".part"));
  ASSERT_OK_AND_ASSIGN(const std::string part,
                       ReadTextFile(files_, folder_.File(digest + ".part"), 100));
  EXPECT_EQ(part, "0123");
  service_.files[digest] = kContent;

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(progress_, ElementsAre(8, 10));
  EXPECT_THAT(Names(), ElementsAre(digest));
}

TEST_F(DownloadTest, ASizeOfNothingIsNotTheModelsAndItIsAskedForAgain) {
  service_.bad_downloads = {Chunks{{0, "0123", 0}}, Chunks{{0, "", 0}}};

  ASSERT_OK_AND_ASSIGN(const std::string content, Run());

  EXPECT_EQ(content, kContent);
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0, 0));
}

TEST_F(DownloadTest, ASizeOfNothingAgainAndAgainLeavesNothing) {
  const Chunks nothing = {{0, "0123", 0}};
  service_.bad_downloads = {nothing, nothing, nothing};

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kDataLoss));

  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0, 0));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(DownloadTest, AnAbsurdSizeIsRefusedBeforeAnythingIsStored) {
  const Chunks absurd = {{0, "0123", uint64_t{1} << 63}};
  service_.bad_downloads = {absurd, absurd};

  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted,
                              HasSubstr("has 9223372036854775808 bytes, but the cache may hold "
                                        "100")));
  EXPECT_THAT(Names(), IsEmpty());

  // Nor does a cache take it that has no limit but its disk.
  ASSERT_OK_AND_ASSIGN(cache_, ModelCache::Open(&files_, folder_.path(), ~uint64_t{0}));
  EXPECT_THAT(Run(), StatusIs(absl::StatusCode::kResourceExhausted,
                              HasSubstr("9223372036854775808 bytes are still to come")));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(service_.DownloadOffsets(), ElementsAre(0, 0));
  EXPECT_THAT(progress_, IsEmpty());
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
