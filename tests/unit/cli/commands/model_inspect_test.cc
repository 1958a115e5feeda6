// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ModelInspectTest : public CoordinatorFixture {};

TEST_F(ModelInspectTest, LocalFileIsReadWithoutACoordinator) {
  EXPECT_EQ(Run({"model", "inspect", WriteModel("m.safetensors")}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("fc.weight  F32   [2,4]  8"), HasSubstr("10 in 2 tensors")));
}

TEST_F(ModelInspectTest, LocalFileAsJson) {
  EXPECT_EQ(Run({"model", "inspect", WriteModel("m.safetensors"), "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["tensors"][0]["name"], "fc.bias");
  EXPECT_EQ(OutJson()["tensors"][1]["shape"], nlohmann::json({2, 4}));
}

TEST_F(ModelInspectTest, DigestIsAskedOfTheCoordinator) {
  v1::StoredModel model;
  model.set_digest(std::string(64, 'a'));
  model.set_job_id("x-1");
  model.add_tensors()->set_name("w");
  {
    absl::MutexLock lock(&state().mu);
    state().models = {model};
  }

  EXPECT_EQ(RunThere({"model", "inspect", "aaaaaaaa"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("x-1"), HasSubstr("1 in 1 tensor")));
}

TEST_F(ModelInspectTest, FileThatIsNoModelIsRefused) {
  EXPECT_EQ(Run({"model", "inspect", folder_.Write("m", "not a model at all")}),
            ExitCode::kBadInput);
}

TEST_F(ModelInspectTest, NeitherFileNorDigestIsSaid) {
  EXPECT_EQ(Run({"model", "inspect", "missing.safetensors"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("neither a file here nor a model's digest"));
}

}  // namespace
}  // namespace entente::cli
