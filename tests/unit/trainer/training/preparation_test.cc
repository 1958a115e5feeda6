// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/preparation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "tests/unit/trainer/scripted_model.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class PreparationTest : public ::testing::Test {
 protected:
  absl::StatusOr<TensorExamples> Load(const nlohmann::json& recipe_json,
                                      const std::string& program = "") {
    const RecipeView recipe = *ParseRecipe(recipe_json.dump(), "recipe");
    const auto model = MakeModel(recipe, program);
    if (!model.ok()) return model.status();
    const DatasetSource source{.format = DatasetFormat::kIdx, .directory = folder_.File("data")};
    return LoadPart(files_, source, DatasetPart::kTrain, recipe, torch::kCPU, **model);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(PreparationTest, DataThatFitsIsLoaded) {
  WriteSampleFolder(folder_, "data", 12);

  EXPECT_EQ(Load(SampleRecipe())->inputs.sizes(), torch::IntArrayRef({12, 1, 4, 4}));
  EXPECT_THAT(Load(SampleCnnRecipe()), IsOk());
  EXPECT_THAT(Load(SampleTorchScriptRecipe(),
                   WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear)),
              IsOk());
}

TEST_F(PreparationTest, ImagesOfAnotherShapeAreRefused) {
  WriteSampleFolder(folder_, "data", 12);
  nlohmann::json recipe = SampleRecipe();
  recipe["model"]["builtin"]["inputShape"] = {1, 28, 28};

  EXPECT_THAT(
      Load(recipe),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("examples have shape [1,4,4], the recipe's inputShape is [1,28,28]")));
}

TEST_F(PreparationTest, LabelsPastTheOutputsAreRefused) {
  WriteSampleFolder(folder_, "data", 12);
  nlohmann::json recipe = SampleRecipe();
  recipe["model"]["builtin"]["outputs"] = 2;

  EXPECT_THAT(Load(recipe), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("a label is not one of the model's 2 outputs")));
}

TEST_F(PreparationTest, AModelThatAnswersInAnotherShapeIsRefused) {
  WriteSampleFolder(folder_, "data", 12);

  EXPECT_THAT(Load(SampleTorchScriptRecipe(),
                   WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kFlatOutput)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("expected float32 of shape [1, outputs]")));
}

TEST_F(PreparationTest, TheDeviceIsTheOneAskedFor) {
  EXPECT_TRUE((*PrepareDevice(DeviceChoice::kCpu, 1)).is_cpu());
  EXPECT_EQ(torch::get_num_threads(), 1);
  if (!torch::cuda::is_available()) {
    EXPECT_TRUE((*PrepareDevice(DeviceChoice::kAuto, 1)).is_cpu());
    EXPECT_THAT(PrepareDevice(DeviceChoice::kCuda, 1),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("LibTorch finds none")));
  }
}

}  // namespace
}  // namespace entente::trainer
