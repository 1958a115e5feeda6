// SPDX-License-Identifier: Apache-2.0
#include "worker/session/grpc_transfers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/worker/session/fake_transfer_service.h"
#include "tests/unit/worker/session/in_process_server.h"
#include "tests/unit/worker/session/session_examples.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

TEST(GrpcTransfersTest, MovesFilesBothWays) {
  const TempFolder folder;
  PosixFileSystem files;
  SystemRandomSource random;
  const SystemClock clock;
  TokenBucket pace(&clock, 0);
  FakeTransferService service;
  service.files[Sha256Of("model").ToHex()] = "model";
  InProcessServer server(&service);
  ASSERT_OK_AND_ASSIGN(const auto cache, ModelCache::Open(&files, folder.File("models"), 100));
  GrpcTransfers transfers(server.Channel(), {.files = &files,
                                             .cache = cache.get(),
                                             .random = &random,
                                             .upload_pace = &pace,
                                             .download_pace = &pace});
  v1::UploadHeader header;
  header.set_digest(Sha256Of("update").ToHex());
  header.set_total_bytes(6);

  const TraceContext trace = TraceContext::Named("toy-1");

  EXPECT_THAT(transfers.Download(
                  Sha256Of("model"), "toy-1", trace, [](uint64_t, uint64_t) {}, CancelToken()),
              IsOk());
  EXPECT_THAT(transfers.Upload(
                  header, folder.Write("update", "update"), /*compresses=*/false, trace,
                  [](uint64_t, uint64_t) {}, CancelToken()),
              IsOk());

  EXPECT_EQ(service.Uploaded(), "update");
  // The download, the question where the upload stands, and the upload.
  EXPECT_THAT(
      service.Traceparents(),
      testing::ElementsAre(trace.ToTraceparent(), trace.ToTraceparent(), trace.ToTraceparent()));
}

TEST(GrpcTransfersTest, EachWayHasAPaceOfItsOwn) {
  const TempFolder folder;
  PosixFileSystem files;
  SystemRandomSource random;
  SimulatedClock clock;
  TokenBucket upload_pace(&clock, 6);
  TokenBucket download_pace(&clock, 5);
  FakeTransferService service;
  service.files[Sha256Of("model").ToHex()] = "model";
  InProcessServer server(&service);
  ASSERT_OK_AND_ASSIGN(const auto cache, ModelCache::Open(&files, folder.File("models"), 100));
  GrpcTransfers transfers(server.Channel(), {.files = &files,
                                             .cache = cache.get(),
                                             .random = &random,
                                             .upload_pace = &upload_pace,
                                             .download_pace = &download_pace});
  v1::UploadHeader header;
  header.set_digest(Sha256Of("update").ToHex());
  header.set_total_bytes(6);
  const TraceContext trace = TraceContext::Named("toy-1");

  ASSERT_THAT(transfers.Download(
                  Sha256Of("model"), "toy-1", trace, [](uint64_t, uint64_t) {}, CancelToken()),
              IsOk());
  ASSERT_THAT(transfers.Upload(
                  header, folder.Write("update", "update"), /*compresses=*/false, trace,
                  [](uint64_t, uint64_t) {}, CancelToken()),
              IsOk());

  // Each passed as a second's worth, of which nothing is left.
  EXPECT_EQ(download_pace.Take(5), absl::Seconds(1));
  EXPECT_EQ(upload_pace.Take(6), absl::Seconds(1));
}

TEST(GrpcTransfersTest, AFileThatChangedIsNotSent) {
  const TempFolder folder;
  PosixFileSystem files;
  SystemRandomSource random;
  const SystemClock clock;
  TokenBucket pace(&clock, 0);
  FakeTransferService service;
  InProcessServer server(&service);
  ASSERT_OK_AND_ASSIGN(const auto cache, ModelCache::Open(&files, folder.File("models"), 100));
  GrpcTransfers transfers(server.Channel(), {.files = &files,
                                             .cache = cache.get(),
                                             .random = &random,
                                             .upload_pace = &pace,
                                             .download_pace = &pace});
  v1::UploadHeader header;
  header.set_total_bytes(7);

  EXPECT_THAT(transfers.Upload(
                  header, folder.Write("update", "update"), /*compresses=*/false,
                  TraceContext::Named("toy-1"), [](uint64_t, uint64_t) {}, CancelToken()),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("has 6 bytes")));
}

}  // namespace
}  // namespace entente::worker
