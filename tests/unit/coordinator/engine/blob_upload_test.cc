// SPDX-License-Identifier: Apache-2.0
// Models and programs that submitters send, and what is left of those that are cut off.
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "coordinator/engine/upload_intake.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;

class ModelPartsTest : public EngineTest {
 protected:
  static v1::UploadHeader HeaderOf(const std::string& bytes) {
    v1::UploadHeader header;
    header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
    header.set_digest(Sha256Of(bytes).ToHex());
    header.set_total_bytes(bytes.size());
    return header;
  }

  // Leaves a part of 7 bytes.
  void Cut(const std::string& bytes) {
    const auto upload = uploads_->OpenBlob(HeaderOf(bytes));
    ASSERT_THAT(upload, IsOk());
    ASSERT_THAT((*upload)->Append(0, bytes.substr(0, 7)), IsOk());
  }

  size_t FileCount() { return files_.ListFiles(folder_.File("models"))->size(); }
};

TEST_F(ModelPartsTest, QuestionForTheOffsetOfAModelLeavesNoFile) {
  EXPECT_THAT(uploads_->OpenBlob(HeaderOf(UpdateBytes(1, 1))), IsOk());

  EXPECT_EQ(FileCount(), 0U);
  EXPECT_EQ(spool_->space().part_count(), 0U);
}

TEST_F(ModelPartsTest, PartThatNobodyGoesOnWithIsCountedForADay) {
  Cut(UpdateBytes(1, 1));
  EXPECT_EQ(spool_->space().part_bytes(), 7U);
  clock_.Jump(limits::kModelPartAgeMax - absl::Minutes(5));
  EXPECT_THAT(uploads_->OpenBlob(HeaderOf(UpdateBytes(2, 2))), IsOk());
  EXPECT_EQ(spool_->space().part_bytes(), 7U);

  clock_.Jump(absl::Minutes(10));
  EXPECT_THAT(uploads_->OpenBlob(HeaderOf(UpdateBytes(3, 3))), IsOk());

  EXPECT_EQ(spool_->space().part_bytes(), 0U);
  EXPECT_EQ(FileCount(), 0U);
}

TEST_F(ModelPartsTest, PartThatCannotBeRemovedIsCountedAndTheOthersAreNot) {
  Cut(UpdateBytes(1, 1));
  Cut(UpdateBytes(2, 2));
  EXPECT_EQ(spool_->space().part_bytes(), 14U);
  clock_.Jump(limits::kModelPartAgeMax + absl::Minutes(5));
  files_.FailChange(2, FaultyFileSystem::Failure::kOnce);

  EXPECT_THAT(uploads_->OpenBlob(HeaderOf(UpdateBytes(3, 3))), IsOk());

  EXPECT_TRUE(files_.HasFailed());
  EXPECT_EQ(spool_->space().part_bytes(), 7U);
  EXPECT_EQ(FileCount(), 1U);
}

TEST_F(ModelPartsTest, RestartCountsAPartThatIsYoung) {
  Cut(UpdateBytes(1, 1));
  Restart();
  EXPECT_EQ(spool_->space().part_bytes(), 7U);
  ASSERT_OK_AND_ASSIGN(const auto again, uploads_->OpenBlob(HeaderOf(UpdateBytes(1, 1))));
  EXPECT_EQ(again->offset(), 7U);
}

TEST_F(ModelPartsTest, RestartADayLaterRemovesThePart) {
  Cut(UpdateBytes(1, 1));
  clock_.Jump(limits::kModelPartAgeMax + absl::Minutes(5));

  Restart();

  EXPECT_EQ(spool_->space().part_count(), 0U);
  EXPECT_EQ(FileCount(), 0U);
}

TEST_F(ModelPartsTest, FullDiskTakesTheOldPartsAway) {
  const auto worker = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = worker->WaitForTask(0);
  Cut(UpdateBytes(1, 1));
  const size_t files_before = FileCount();
  clock_.Jump(limits::kModelPartAgeMax + absl::Minutes(5));
  files_.bytes_left = 10;

  EXPECT_THAT(Upload("fr-lab/w", task, 2, 2), StatusIs(absl::StatusCode::kResourceExhausted));

  EXPECT_EQ(FileCount(), files_before - 1);
}

TEST_F(ModelPartsTest, PartsAreNeverMoreThanTheirLimit) {
  for (size_t i = 0; i < limits::kModelPartsMax + 10; ++i) {
    folder_.Write(absl::StrCat("models/", i, ".part"), "x");
  }

  ASSERT_THAT(uploads_->CountParts(), IsOk());
  EXPECT_EQ(FileCount(), limits::kModelPartsMax);
  Cut(UpdateBytes(1, 1));

  EXPECT_EQ(FileCount(), limits::kModelPartsMax / 2 + 1);
  EXPECT_EQ(spool_->space().part_count(), limits::kModelPartsMax / 2 + 1);
}

using BlobUploadTest = EngineTest;

TEST_F(BlobUploadTest, BlobMustBeWhatItSays) {
  const std::string bytes = "no model at all";
  v1::UploadHeader header;
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  for (const auto content :
       {v1::BlobDescription::CONTENT_MODEL, v1::BlobDescription::CONTENT_TORCHSCRIPT}) {
    header.mutable_blob()->set_content(content);
    ASSERT_OK_AND_ASSIGN(const auto upload, uploads_->OpenBlob(header));
    ASSERT_THAT(upload->Append(0, bytes), IsOk());
    absl::Status sealed;
    upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
    EXPECT_THAT(sealed, StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(BlobUploadTest, BlobThatCannotBeReadBackIsKept) {
  const std::string bytes = "PK\3\4 and more";
  v1::UploadHeader header;
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_TORCHSCRIPT);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  {
    ASSERT_OK_AND_ASSIGN(const auto upload, uploads_->OpenBlob(header));
    ASSERT_THAT(upload->Append(0, bytes), IsOk());
    files_.reads_fail = true;
    absl::Status sealed;
    upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
    EXPECT_THAT(sealed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Input/output error")));
    files_.reads_fail = false;
  }

  ASSERT_OK_AND_ASSIGN(const auto again, uploads_->OpenBlob(header));

  EXPECT_EQ(again->offset(), bytes.size());
  absl::Status sealed = absl::UnknownError("not sealed");
  again->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
  EXPECT_THAT(sealed, IsOk());
}

TEST_F(BlobUploadTest, BlobThatDoesNotSayWhatItIsIsToldHow) {
  v1::UploadHeader header;
  header.set_digest(Sha256Of("x").ToHex());
  header.set_total_bytes(1);

  EXPECT_THAT(uploads_->OpenBlob(header),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("set blob.content")));
}

TEST_F(BlobUploadTest, OversizedAndEmptyBlobsAreRefused) {
  v1::UploadHeader header;
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  header.set_digest(Sha256Of("x").ToHex());
  EXPECT_THAT(uploads_->OpenBlob(header), StatusIs(absl::StatusCode::kInvalidArgument));
  header.set_total_bytes(uint64_t{1} << 63);
  EXPECT_THAT(uploads_->OpenBlob(header),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("blobBytesMax")));
}

}  // namespace
}  // namespace entente::engine
