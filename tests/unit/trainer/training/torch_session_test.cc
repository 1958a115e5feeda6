// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/torch_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tensor/safetensors.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "tests/unit/trainer/scripted_model.h"
#include "trainer/training/local_runs.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class TorchSessionTest : public ::testing::Test {
 protected:
  // Prepares `session_` and writes the initial model.
  absl::StatusOr<PreparedResult> Prepare(const nlohmann::json& recipe_json,
                                         const std::string& program = "") {
    PrepareRequest request{
        .recipe = *ParseRecipe(recipe_json.dump(), "recipe"),
        .dataset = {.format = DatasetFormat::kIdx, .directory = folder_.File("data")},
        .program = program,
        .device = DeviceChoice::kCpu,
        .threads = 1};
    const auto made = InitializeModel(files_, {.recipe = request.recipe, .program = program},
                                      folder_.File("base"));
    if (!made.ok()) return made.status();
    return session_.Prepare(request);
  }

  TrainRequest Train(const std::string& output) const {
    return {.task = "t",
            .base_model = folder_.File("base"),
            .output = folder_.File(output),
            .seed = 5,
            .deadline = absl::Minutes(1)};
  }

  const TempFolder folder_;
  FaultyFileSystem files_;
  const SimulatedClock clock_;
  RecordedProgress progress_;
  TorchSession session_{files_, clock_};
};

TEST_F(TorchSessionTest, EveryKindOfModelTrains) {
  WriteSampleFolder(folder_, "data", 40);
  const std::string program = WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear);

  for (const nlohmann::json& recipe :
       {SampleRecipe(), SampleCnnRecipe(), SampleTorchScriptRecipe()}) {
    const bool scripted = recipe["model"].contains("torchscript");
    ASSERT_OK_AND_ASSIGN(const PreparedResult prepared, Prepare(recipe, scripted ? program : ""));
    EXPECT_EQ(prepared.examples, 40);
    EXPECT_EQ(prepared.held_out_examples, 20);

    ASSERT_OK_AND_ASSIGN(const UpdateResult update, session_.Train(Train("update"), progress_));
    EXPECT_EQ(update.examples, 40);
    EXPECT_EQ(update.steps, 5);
    EXPECT_THAT(session_.Evaluate({.task = "e", .model = folder_.File("base")}, progress_), IsOk());
  }
}

TEST_F(TorchSessionTest, AnUpdateIsWhatTrainingChanged) {
  WriteSampleFolder(folder_, "data", 40);
  const std::string program = WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear);
  ASSERT_THAT(Prepare(SampleTorchScriptRecipe(), program), IsOk());

  ASSERT_THAT(session_.Train(Train("update"), progress_), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto base, SafetensorsReader::Open(files_, folder_.File("base")));
  ASSERT_OK_AND_ASSIGN(const auto update, SafetensorsReader::Open(files_, folder_.File("update")));
  EXPECT_EQ(update->layout(), base->layout().UpdateLayout(Dtype::kF32));
  float scale = 0;  // The buffer that five forward passes multiplied by 0.99 each.
  ASSERT_THAT(update->ReadAt(1, 0, absl::MakeSpan(reinterpret_cast<char*>(&scale), sizeof(scale))),
              IsOk());
  EXPECT_NEAR(scale, std::pow(0.99, 5) - 1, 1e-5);
}

TEST_F(TorchSessionTest, TrainingLearns) {
  WriteSampleFolder(folder_, "data", 120);
  nlohmann::json recipe = SampleRecipe();
  recipe["training"]["epochs"] = 5;
  ASSERT_THAT(Prepare(recipe), IsOk());

  ASSERT_THAT(session_.Train(Train("update"), progress_), IsOk());

  EXPECT_LT(*progress_.reports.back().loss, 0.2);
  EXPECT_EQ(progress_.reports.front().loss, std::nullopt);
  EXPECT_EQ(progress_.reports.back().step, progress_.reports.back().step_count);
}

TEST_F(TorchSessionTest, RegressionIsTrainedOnSafetensors) {
  nlohmann::json recipe = SampleRecipe();
  recipe["task"] = "regression";
  recipe["model"]["builtin"]["inputShape"] = {2};
  recipe["model"]["builtin"]["outputs"] = 1;
  recipe["training"]["epochs"] = 20;
  const RecipeView view = *ParseRecipe(recipe.dump(), "recipe");
  ASSERT_THAT(InitializeModel(files_, {.recipe = view}, folder_.File("base")), IsOk());
  ASSERT_THAT(
      session_.Prepare({.recipe = view,
                        .dataset = {.format = DatasetFormat::kSafetensors,
                                    .directory = WriteRegressionFolder(folder_, "numbers", 100)},
                        .program = "",
                        .device = DeviceChoice::kAuto,
                        .threads = 1}),
      IsOk());

  ASSERT_THAT(session_.Train(Train("update"), progress_), IsOk());
  ASSERT_OK_AND_ASSIGN(const EvaluationResult before,
                       session_.Evaluate({.task = "e", .model = folder_.File("base")}, progress_));

  EXPECT_LT(*progress_.reports[progress_.reports.size() - 5].loss, before.loss);
  EXPECT_EQ(before.accuracy, std::nullopt);
}

TEST_F(TorchSessionTest, ABaseModelThatDoesNotFitIsRefused) {
  WriteSampleFolder(folder_, "data", 12);
  ASSERT_THAT(Prepare(SampleCnnRecipe()), IsOk());
  ASSERT_THAT(Prepare(SampleRecipe()), IsOk());
  nlohmann::json other = SampleRecipe();
  other["model"]["builtin"]["hidden"] = {9};
  ASSERT_THAT(
      InitializeModel(files_, {.recipe = *ParseRecipe(other.dump(), "r")}, folder_.File("base")),
      IsOk());

  EXPECT_THAT(session_.Train(Train("update"), progress_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not fit the model")));
  EXPECT_FALSE(files_.Exists(folder_.File("update")));
}

TEST_F(TorchSessionTest, AFullDiskIsToldAndLeavesNoUpdate) {
  WriteSampleFolder(folder_, "data", 12);
  ASSERT_THAT(Prepare(SampleRecipe()), IsOk());
  files_.bytes_left = 10;

  EXPECT_THAT(session_.Train(Train("update"), progress_),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(files_.Exists(folder_.File("update")));
}

TEST_F(TorchSessionTest, NothingIsPreparedAfterAFailedPrepare) {
  WriteSampleFolder(folder_, "data", 12);
  ASSERT_THAT(Prepare(SampleRecipe()), IsOk());
  nlohmann::json recipe = SampleRecipe();
  recipe["model"]["builtin"]["outputs"] = 2;

  EXPECT_THAT(Prepare(recipe), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(session_.Train(Train("update"), progress_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("send prepare first")));
}

TEST_F(TorchSessionTest, WithoutHeldOutExamplesThereIsNothingToEvaluateOn) {
  folder_.Write("data/train-images-idx3-ubyte", IdxBytes(SampleImages(9)));
  folder_.Write("data/train-labels-idx1-ubyte", IdxBytes(SampleLabels(9)));
  ASSERT_OK_AND_ASSIGN(const PreparedResult prepared, Prepare(SampleRecipe()));

  EXPECT_EQ(prepared.held_out_examples, 0);
  EXPECT_THAT(
      session_.Evaluate({.task = "e", .model = folder_.File("base")}, progress_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("has no held-out examples")));
}

TEST_F(TorchSessionTest, HalfOfTheHeldOutFilesIsAnError) {
  WriteSampleFolder(folder_, "data", 12);
  ASSERT_THAT(files_.Remove(folder_.File("data/held-out-labels-idx1-ubyte")), IsOk());

  EXPECT_THAT(Prepare(SampleRecipe()), StatusIs(absl::StatusCode::kNotFound,
                                                HasSubstr("has no held-out-labels-idx1-ubyte")));
}

TEST_F(TorchSessionTest, WhatLibTorchRefusesIsOneSentence) {
  WriteSampleFolder(folder_, "data", 12);
  folder_.Write("data/train-images-idx3-ubyte",
                IdxBytes({.shape = {1, 2, 2}, .elements = {0, 0, 0, 0}}));
  folder_.Write("data/train-labels-idx1-ubyte", IdxBytes({.shape = {1}, .elements = {0}}));
  const std::string program = WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear);

  const auto prepared = Prepare(SampleTorchScriptRecipe(), program);

  EXPECT_THAT(prepared, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr("LibTorch refused what the model does")));
  EXPECT_EQ(prepared.status().message().find('\n'), absl::string_view::npos);
}

}  // namespace
}  // namespace entente::trainer
