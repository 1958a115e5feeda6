// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "common/crypto/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class ModelPullTest : public CoordinatorFixture {
 protected:
  ModelPullTest() {
    v1::Job job = RunningJob(3);
    job.set_model_digest(digest_);
    SetJobs({job});
    v1::StoredModel model;
    model.set_digest(digest_);
    model.set_job_id(job.id());
    model.set_rounds_committed(3);
    model.set_total_bytes(bytes_.size());
    absl::MutexLock lock(&state().mu);
    state().models = {model};
    state().blobs[digest_] = bytes_;
  }

  const std::string bytes_ = "the bytes of a model";
  const std::string digest_ = Sha256Of(bytes_).ToHex();
  const std::string path_ = folder_.File("m.safetensors");
};

TEST_F(ModelPullTest, NewestModelOfAJobIsFetched) {
  EXPECT_EQ(RunThere({"model", "pull", "fashion-mnist-k3x9qa", "--output", path_}), ExitCode::kOk);

  EXPECT_EQ(out(), path_ + "  sha256:" + digest_ + "\n");
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, path_, 1000));
  EXPECT_EQ(text, bytes_);
}

TEST_F(ModelPullTest, PrefixOfADigestIsEnough) {
  EXPECT_EQ(RunThere({"model", "pull", digest_.substr(0, 10), "--output", path_, "-o", "json"}),
            ExitCode::kOk);

  EXPECT_EQ(OutJson()["digest"], digest_);
  EXPECT_EQ(OutJson()["path"], path_);
}

TEST_F(ModelPullTest, FolderAsOutputGetsANameOfItsOwn) {
  EXPECT_EQ(RunThere({"model", "pull", digest_, "--output", folder_.path()}), ExitCode::kOk);

  EXPECT_TRUE(files_.Exists(folder_.File("model-" + digest_.substr(0, 12) + ".safetensors")));
}

TEST_F(ModelPullTest, ModelThatIsThereAlreadyIsNotFetchedAgain) {
  folder_.Write("m.safetensors", bytes_);

  EXPECT_EQ(RunThere({"model", "pull", digest_, "--output", path_}), ExitCode::kOk);

  absl::MutexLock lock(&state().mu);
  EXPECT_TRUE(state().download_offsets.empty());
}

TEST_F(ModelPullTest, OtherFileIsNotOverwrittenUnlessForced) {
  folder_.Write("m.safetensors", "precious");

  EXPECT_EQ(RunThere({"model", "pull", digest_, "--output", path_}), ExitCode::kWrongState);
  EXPECT_THAT(error(), HasSubstr("--force"));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, path_, 1000));
  EXPECT_EQ(text, "precious");

  EXPECT_EQ(RunThere({"model", "pull", digest_, "--output", path_, "--force"}), ExitCode::kOk);
}

TEST_F(ModelPullTest, JobWithoutAModelIsTheWrongState) {
  SetJobs({RunningJob(0)});

  EXPECT_EQ(RunThere({"model", "pull", "fashion-mnist-k3x9qa"}), ExitCode::kWrongState);

  EXPECT_THAT(error(), HasSubstr("has no model yet"));
}

TEST_F(ModelPullTest, UnknownJobAndDigestAreNotFound) {
  EXPECT_EQ(RunThere({"model", "pull", "nobody-1"}), ExitCode::kNotFound);
  EXPECT_EQ(RunThere({"model", "pull", "00000000"}), ExitCode::kNotFound);
}

TEST_F(ModelPullTest, FolderThatIsNotThereIsAFailureHere) {
  EXPECT_EQ(RunThere({"model", "pull", digest_, "--output", folder_.File("no/such/m")}),
            ExitCode::kFailed);
}

}  // namespace
}  // namespace entente::cli
