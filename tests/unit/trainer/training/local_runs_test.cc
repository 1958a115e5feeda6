// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/local_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "tests/unit/trainer/scripted_model.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class LocalRunsTest : public ::testing::Test {
 protected:
  static ModelChoice Choice(const nlohmann::json& recipe) {
    return {.recipe = *ParseRecipe(recipe.dump(), "recipe"), .device = DeviceChoice::kCpu};
  }
  absl::StatusOr<UpdateResult> Alone(const ModelChoice& choice, int64_t rounds,
                                     const std::string& output) {
    return TrainAlone(files_, clock_, choice,
                      {.source = Source(), .rounds = rounds, .output = folder_.File(output)},
                      progress_);
  }
  DatasetSource Source() const {
    return {.format = DatasetFormat::kIdx, .directory = folder_.File("data")};
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  const SimulatedClock clock_;
  RecordedProgress progress_;
};

TEST_F(LocalRunsTest, InitialWeightsDependOnTheSeedAlone) {
  nlohmann::json other = SampleRecipe();
  other["training"]["seed"] = 8;

  ASSERT_THAT(InitializeModel(files_, Choice(SampleRecipe()), folder_.File("a")), IsOk());
  ASSERT_THAT(InitializeModel(files_, Choice(SampleRecipe()), folder_.File("b")), IsOk());
  ASSERT_THAT(InitializeModel(files_, Choice(other), folder_.File("c")), IsOk());

  EXPECT_EQ(FileText(folder_.File("a")), FileText(folder_.File("b")));
  EXPECT_NE(FileText(folder_.File("a")), FileText(folder_.File("c")));
}

TEST_F(LocalRunsTest, InitialWeightsOfAFileAreCheckedAndTaken) {
  ASSERT_THAT(InitializeModel(files_, Choice(SampleCnnRecipe()), folder_.File("cnn")), IsOk());
  ModelChoice choice = Choice(SampleCnnRecipe());
  choice.initial_weights = folder_.File("cnn");
  choice.recipe.training.seed = 99;

  ASSERT_THAT(InitializeModel(files_, choice, folder_.File("copy")), IsOk());
  EXPECT_EQ(FileText(folder_.File("cnn")), FileText(folder_.File("copy")));

  choice.recipe = Choice(SampleRecipe()).recipe;
  EXPECT_THAT(InitializeModel(files_, choice, folder_.File("other")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not fit the model")));
  EXPECT_FALSE(files_.Exists(folder_.File("other")));
}

TEST_F(LocalRunsTest, ModelFilesOfBothFormatsAreInspected) {
  ASSERT_THAT(InitializeModel(files_, Choice(SampleRecipe()), folder_.File("a")), IsOk());
  WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear);

  ASSERT_OK_AND_ASSIGN(const ModelInspection weights, InspectModel(files_, folder_.File("a")));
  ASSERT_OK_AND_ASSIGN(const ModelInspection program, InspectModel(files_, folder_.File("m.pt")));

  EXPECT_EQ(weights.format, "safetensors");
  EXPECT_EQ(weights.parameter_count, 16U * 8 + 8 + 8 * 3 + 3);
  EXPECT_EQ(program.format, "torchscript");
  EXPECT_EQ(program.parameter_count, 51U);
  EXPECT_THAT(InspectModel(files_, folder_.Write("x", "text")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      InspectModel(files_, folder_.Write("x", "PK\3\4 text")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not a TorchScript program")));
}

TEST_F(LocalRunsTest, TrainingAloneLearnsAndRepeats) {
  WriteSampleFolder(folder_, "data", 90);

  ASSERT_OK_AND_ASSIGN(const UpdateResult result, Alone(Choice(SampleRecipe()), 5, "a"));
  ASSERT_THAT(Alone(Choice(SampleRecipe()), 5, "b"), IsOk());

  EXPECT_EQ(result.steps, 5 * 12);
  EXPECT_EQ(FileText(folder_.File("a")), FileText(folder_.File("b")));
  ModelChoice trained = Choice(SampleRecipe());
  trained.initial_weights = folder_.File("a");
  ASSERT_OK_AND_ASSIGN(const EvaluationResult evaluation,
                       EvaluateOnPart(files_, trained, Source(), DatasetPart::kTest, progress_));
  EXPECT_GT(*evaluation.accuracy, 0.9);
  EXPECT_EQ(evaluation.examples, 45);
}

TEST_F(LocalRunsTest, AMissingPartIsNamed) {
  WriteSampleFolder(folder_, "data", 9);
  ASSERT_THAT(files_.Remove(folder_.File("data/t10k-images-idx3-ubyte")), IsOk());

  EXPECT_THAT(
      EvaluateOnPart(files_, Choice(SampleRecipe()), Source(), DatasetPart::kTest, progress_),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no t10k-images-idx3-ubyte")));
}

}  // namespace
}  // namespace entente::trainer
