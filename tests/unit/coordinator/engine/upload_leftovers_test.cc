// SPDX-License-Identifier: Apache-2.0
// What is refused must leave nothing, on the disk and in the books of its space.
#include <gmock/gmock.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "coordinator/engine/upload_intake.h"
#include "coordinator/updates/update_spool.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A refused update ends the attempt here, for there is but one worker, and then its folder goes
// with all that is in it. What is held stays, so whatever the upload did not remove would be found.
class UploadLeftoversTest : public EngineTest {
 protected:
  static constexpr char kSender[] = "fr-lab/w";

  UploadLeftoversTest()
      : worker_(AttachWorker(kSender)),
        job_(Submit(RecipeOf(2, 1))),
        task_(worker_->WaitForTask(0)),
        hold_(spool_.get()) {}
  ~UploadLeftoversTest() override { job_.reset(); }

  void EndJob() {
    job_->Cancel("enough", [](const absl::Status&) {});
    WaitForEnd(*job_);
  }
  void ExpectNothingLeft() {
    EXPECT_THAT(PartsLeft(), IsEmpty());
    EXPECT_EQ(spool_->space().present_bytes(), 0U);
    EXPECT_EQ(spool_->space().promised_bytes(), 0U);
    EXPECT_EQ(spool_->space().part_bytes(), 0U);
    EXPECT_EQ(spool_->space().part_count(), 0U);
  }

  const std::shared_ptr<RecordingConnection> worker_;
  std::shared_ptr<JobEngine> job_;
  const v1::Task task_;
  const updates::SpoolHold hold_;
};

TEST_F(UploadLeftoversTest, CutUploadLeavesAPart) {
  const std::string bytes = UpdateBytes(1, 1);
  {
    ASSERT_OK_AND_ASSIGN(const auto cut,
                         uploads_->OpenUpdate(WorkerId(kSender), UploadHeaderOf(task_, bytes)));
    ASSERT_THAT(cut->Append(0, bytes.substr(0, 7)), IsOk());
  }

  EXPECT_EQ(PartsLeft().size(), 1U);
  EXPECT_EQ(spool_->space().present_bytes(), 7U);
}

TEST_F(UploadLeftoversTest, RefusedUpdateLeavesNothing) {
  ASSERT_THAT(Upload(kSender, task_, NAN, 1), StatusIs(absl::StatusCode::kInvalidArgument));

  ExpectNothingLeft();
}

TEST_F(UploadLeftoversTest, UpdateThatIsLateOnceItHasComeLeavesNothing) {
  const std::string bytes = UpdateBytes(1, 1);
  ASSERT_OK_AND_ASSIGN(auto upload,
                       uploads_->OpenUpdate(WorkerId(kSender), UploadHeaderOf(task_, bytes)));
  ASSERT_THAT(upload->Append(0, bytes), IsOk());
  ASSERT_EQ(PartsLeft().size(), 1U);
  EndJob();

  absl::Status sealed;
  upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
  upload.reset();

  EXPECT_THAT(sealed, StatusIs(absl::StatusCode::kFailedPrecondition));
  ExpectNothingLeft();
}

TEST_F(UploadLeftoversTest, UpdateWhoseRoundEndsWhileItIsOpenedLeavesNothing) {
  const std::string bytes = UpdateBytes(1, 1);
  {
    ASSERT_OK_AND_ASSIGN(const auto cut,
                         uploads_->OpenUpdate(WorkerId(kSender), UploadHeaderOf(task_, bytes)));
    ASSERT_THAT(cut->Append(0, bytes.substr(0, 7)), IsOk());
  }
  ASSERT_EQ(PartsLeft().size(), 1U);
  files_.BeforeFolder("/spool/", [this] { EndJob(); });

  EXPECT_THAT(uploads_->OpenUpdate(WorkerId(kSender), UploadHeaderOf(task_, bytes)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("enough")));

  ExpectNothingLeft();
}

TEST_F(UploadLeftoversTest, UpdateWithAnotherDigestLeavesNothing) {
  ASSERT_THAT(UploadRaw(kSender, task_, UpdateBytes(1, 1), Sha256Of("other"), 10),
              StatusIs(absl::StatusCode::kDataLoss));

  ExpectNothingLeft();
}

TEST_F(UploadLeftoversTest, BlobThatIsNotWhatItSaysLeavesNothing) {
  const std::string bytes = "no model at all";
  v1::UploadHeader header;
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  for (const auto content :
       {v1::BlobDescription::CONTENT_MODEL, v1::BlobDescription::CONTENT_TORCHSCRIPT}) {
    header.mutable_blob()->set_content(content);
    ASSERT_OK_AND_ASSIGN(auto upload, uploads_->OpenBlob(header));
    ASSERT_EQ(upload->offset(), 0U);
    ASSERT_THAT(upload->Append(0, bytes), IsOk());
    ASSERT_EQ(PartsLeft().size(), 1U);

    absl::Status sealed;
    upload->Seal([&sealed](absl::Status status) { sealed = std::move(status); });
    upload.reset();

    EXPECT_THAT(sealed, StatusIs(absl::StatusCode::kInvalidArgument));
    ExpectNothingLeft();
  }
}

}  // namespace
}  // namespace entente::engine
