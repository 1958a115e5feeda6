// SPDX-License-Identifier: Apache-2.0
// What an upload may be refused for is in upload_intake_test.cc, which goes through CheckUpload.
#include "coordinator/engine/transfer_permission.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using ::testing::HasSubstr;

class TransferPermissionTest : public EngineTest {};

TEST_F(TransferPermissionTest, ModelIsForTheCohortOnly) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);
  ASSERT_OK_AND_ASSIGN(const Digest base, Digest::FromHex(task.model_digest()));

  EXPECT_THAT(CheckDownload(*job, WorkerId("fr-lab/w"), base), IsOk());
  EXPECT_THAT(CheckDownload(*job, WorkerId("kr-lab/w"), base),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("has no task")));
  EXPECT_THAT(CheckDownload(*job, WorkerId("fr-lab/w"), Sha256Of("other")),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(TransferPermissionTest, RoundedModelIsForTheCohortOfAJobThatDownloadsIt) {
  const auto fr = AttachWorker("fr-lab/w");
  v1::Recipe recipe = RecipeOf(1, 1);
  recipe.mutable_updates()->set_download(v1::Updates::DOWNLOAD_BF16);
  const auto job = Submit(recipe);
  const v1::Task task = fr->WaitForTask(0);
  const Digest base = job->View().state->initial_model;
  const Digest rounded = models_->RoundedOf(base);
  ASSERT_FALSE(rounded.IsNone());

  EXPECT_THAT(CheckDownload(*job, WorkerId("fr-lab/w"), rounded), IsOk());
  EXPECT_THAT(CheckDownload(*job, WorkerId("fr-lab/w"), base), IsOk());
  EXPECT_THAT(CheckDownload(*job, WorkerId("kr-lab/w"), rounded),
              StatusIs(absl::StatusCode::kPermissionDenied));
  UploadClaim claim{.worker = WorkerId("fr-lab/w"),
                    .key = task.key(),
                    .base_model = rounded,
                    .update = Sha256Of("update")};
  EXPECT_THAT(CheckUpload(*job, claim), IsOk());
  claim.base_model = Digest();
  EXPECT_THAT(CheckUpload(*job, claim), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(TransferPermissionTest, AcceptedUpdateIsKnownEvenAfterTheJobHasEnded) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  const v1::Task task = fr->WaitForTask(0);
  ASSERT_THAT(Upload("fr-lab/w", task, 1, 1), IsOk());
  WaitForEnd(*job);
  UploadClaim claim{.worker = WorkerId("fr-lab/w"),
                    .key = task.key(),
                    .base_model = job->View().state->initial_model,
                    .update = Sha256Of(UpdateBytes(1, 1))};

  ASSERT_OK_AND_ASSIGN(const UploadVerdict verdict, CheckUpload(*job, claim));
  EXPECT_EQ(verdict, UploadVerdict::kAlreadyAccepted);
  claim.update = Sha256Of("another");
  EXPECT_THAT(CheckUpload(*job, claim),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has completed")));
}

}  // namespace
}  // namespace entente::engine
