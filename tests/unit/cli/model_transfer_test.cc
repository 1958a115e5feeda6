// SPDX-License-Identifier: Apache-2.0
#include "cli/model_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/fake_coordinator.h"

namespace entente::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ModelTransferTest : public ::testing::Test {
 protected:
  ModelTransferTest()
      : client_(CoordinatorClient::Create(coordinator_.target(), absl::Seconds(20),
                                          {.clock = &clock_, .interruption = &interruption_})
                    .value()) {}

  TransferDependencies Dependencies() {
    return {.client = client_.get(),
            .files = &files_,
            .random = &random_,
            .interruption = &interruption_,
            .output = &output_};
  }

  FakeState& state() { return coordinator_.state(); }

  TempFolder folder_;
  SystemClock clock_;
  PosixFileSystem files_;
  SystemRandomSource random_;
  Interruption interruption_;
  std::ostringstream out_;
  std::ostringstream error_;
  Output output_{&out_, &error_};
  FakeCoordinator coordinator_{folder_};
  std::unique_ptr<CoordinatorClient> client_;
};

// Two chunks and a bit.
std::string SomeBytes() {
  std::string bytes(static_cast<size_t>(2 * limits::kTransferChunkBytes + 5), 'x');
  for (size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>(i / 1000);
  return bytes;
}

TEST_F(ModelTransferTest, UploadArrivesWhole) {
  const std::string bytes = SomeBytes();
  const Digest digest = Sha256Of(bytes);

  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.Write("m", bytes),
                                          .digest = digest,
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              IsOk());

  absl::MutexLock lock(&state().mu);
  EXPECT_EQ(state().blobs[digest.ToHex()], bytes);
}

TEST_F(ModelTransferTest, BrokenUploadGoesOnWhereTheCoordinatorIs) {
  const std::string bytes = SomeBytes();
  const Digest digest = Sha256Of(bytes);
  {
    absl::MutexLock lock(&state().mu);
    state().break_next_transfer_after = 1000;
  }

  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.Write("m", bytes),
                                          .digest = digest,
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              IsOk());

  absl::MutexLock lock(&state().mu);
  EXPECT_EQ(state().blobs[digest.ToHex()], bytes);
  EXPECT_THAT(state().upload_offsets, ElementsAre(0, 1000));
  EXPECT_THAT(error_.str(), HasSubstr("trying again"));
}

TEST_F(ModelTransferTest, CoordinatorWithoutRoomForNowIsWaitedFor) {
  const Digest digest = Sha256Of("bytes");
  {
    absl::MutexLock lock(&state().mu);
    state().refuse_uploads = 1;
  }

  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.Write("m", "bytes"),
                                          .digest = digest,
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              IsOk());

  absl::MutexLock lock(&state().mu);
  EXPECT_EQ(state().blobs[digest.ToHex()], "bytes");
  EXPECT_THAT(error_.str(), HasSubstr("256 transfers go on"));
}

TEST_F(ModelTransferTest, FileThatTheCoordinatorHasIsNotSentAgain) {
  const std::string bytes = "small";
  const Digest digest = Sha256Of(bytes);
  {
    absl::MutexLock lock(&state().mu);
    state().blobs[digest.ToHex()] = bytes;
  }

  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.Write("m", bytes),
                                          .digest = digest,
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              IsOk());

  absl::MutexLock lock(&state().mu);
  EXPECT_TRUE(state().partial[digest.ToHex()].empty());
}

TEST_F(ModelTransferTest, MissingFileIsTheCallersMistake) {
  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.File("missing"),
                                          .digest = Digest(),
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("missing")));
}

TEST_F(ModelTransferTest, CoordinatorThatWasNeverThereIsNotWaitedFor) {
  coordinator_.Stop();

  EXPECT_THAT(UploadBlob(Dependencies(), {.path = folder_.Write("m", "bytes"),
                                          .digest = Sha256Of("bytes"),
                                          .content = v1::BlobDescription::CONTENT_MODEL}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refuses")));

  EXPECT_EQ(error_.str(), "");
}

class DownloadTest : public ModelTransferTest {
 protected:
  DownloadTest() {
    absl::MutexLock lock(&state().mu);
    state().blobs[digest_.ToHex()] = bytes_;
  }

  absl::Status Download() {
    return DownloadModel(Dependencies(),
                         {.digest = digest_, .total_bytes = bytes_.size(), .path = path_});
  }

  std::string Text(const std::string& path) {
    return ReadTextFile(files_, path, uint64_t{1} << 30).value();
  }

  const std::string bytes_ = SomeBytes();
  const Digest digest_ = Sha256Of(bytes_);
  const std::string path_ = folder_.File("model.safetensors");
};

TEST_F(DownloadTest, ModelArrivesWhole) {
  EXPECT_THAT(Download(), IsOk());

  EXPECT_EQ(Text(path_), bytes_);
  EXPECT_FALSE(files_.Exists(path_ + ".part"));
}

TEST_F(DownloadTest, BrokenDownloadGoesOnWhereItStood) {
  {
    absl::MutexLock lock(&state().mu);
    state().break_next_transfer_after = 1000;
  }

  EXPECT_THAT(Download(), IsOk());

  EXPECT_EQ(Text(path_), bytes_);
  absl::MutexLock lock(&state().mu);
  EXPECT_THAT(state().download_offsets, ElementsAre(0, 1000));
}

TEST_F(DownloadTest, PartOfAnEarlierRunIsContinued) {
  folder_.Write("model.safetensors.part", bytes_.substr(0, 1234));

  EXPECT_THAT(Download(), IsOk());

  EXPECT_EQ(Text(path_), bytes_);
  absl::MutexLock lock(&state().mu);
  EXPECT_THAT(state().download_offsets, ElementsAre(1234));
}

TEST_F(DownloadTest, PartOfAnotherFileIsDroppedAndFetchedAnew) {
  folder_.Write("model.safetensors.part", "of another model");

  EXPECT_THAT(Download(), IsOk());

  EXPECT_EQ(Text(path_), bytes_);
  absl::MutexLock lock(&state().mu);
  EXPECT_THAT(state().download_offsets, ElementsAre(16, 0));
}

TEST_F(DownloadTest, WrongBytesAreDataLossAndNothingIsLeft) {
  {
    absl::MutexLock lock(&state().mu);
    state().blobs[digest_.ToHex()][7] ^= 1;
  }

  EXPECT_THAT(Download(), StatusIs(absl::StatusCode::kDataLoss));

  EXPECT_FALSE(files_.Exists(path_));
  EXPECT_FALSE(files_.Exists(path_ + ".part"));
}

TEST_F(DownloadTest, ModelThatIsNotThereIsNotFound) {
  {
    absl::MutexLock lock(&state().mu);
    state().blobs.clear();
  }

  EXPECT_THAT(Download(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DownloadTest, InterruptedDownloadKeepsItsPart) {
  folder_.Write("model.safetensors.part", bytes_.substr(0, 1234));
  interruption_.Trigger();

  EXPECT_THAT(Download(), StatusIs(absl::StatusCode::kCancelled));

  EXPECT_TRUE(files_.Exists(path_ + ".part"));
}

}  // namespace
}  // namespace entente::cli
