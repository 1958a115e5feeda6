// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/checkpoint_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "trainer/training/local_training.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

// y = dropout(x) w, so that every step draws random numbers, with a buffer that counts the steps.
class NoisyModel final : public Model {
 public:
  torch::Tensor Forward(const torch::Tensor& inputs) override {
    const torch::NoGradGuard no_gradients;
    steps_.add_(1);
    const torch::AutoGradMode with_gradients(true);
    return torch::matmul(torch::dropout(inputs, 0.5, is_training_), weight_);
  }
  void SetTraining(bool training) override { is_training_ = training; }
  void MoveTo(const torch::Device&) override {}
  std::vector<StateTensor> State() const override {
    return {{.name = "weight", .tensor = weight_, .is_parameter = true},
            {.name = "steps", .tensor = steps_, .is_parameter = false}};
  }
  std::string WeightBytes() const {
    const torch::Tensor packed = weight_.detach().contiguous();
    return std::string(static_cast<const char*>(packed.data_ptr()), packed.nbytes());
  }
  int64_t steps() const { return steps_.item<int64_t>(); }

 private:
  bool is_training_ = false;
  const torch::Tensor weight_ = torch::full({4, 1}, 0.5F).requires_grad_(true);
  const torch::Tensor steps_ = torch::zeros({1}, torch::kInt64);
};

// Ends the training as a killed process does: in the middle of it.
class KilledAt final : public ProgressSink {
 public:
  explicit KilledAt(int64_t step) : step_(step) {}
  void Report(const Progress& progress) override {
    if (first < 0) first = progress.step;
    if (progress.step == step_) throw std::runtime_error("killed");
  }
  int64_t first = -1;

 private:
  const int64_t step_;
};

class CheckpointFileTest : public ::testing::TestWithParam<LocalOptimizer> {
 protected:
  CheckpointFileTest() {
    torch::manual_seed(11);
    examples_ = {.inputs = torch::randn({13, 4}), .targets = torch::randn({13, 1})};
  }

  LocalTrainingOptions OptionsWith(CheckpointFile* checkpoint) const {
    return {.training = {.epochs = std::nullopt,
                         .steps = 9,
                         .batch_size = 4,
                         .optimizer = GetParam(),
                         .learning_rate = 0.1,
                         .momentum = GetParam() == LocalOptimizer::kSgd ? 0.9 : 0,
                         .weight_decay = 0.01,
                         .proximal_mu = 0.1,
                         .seed = 1},
            .task = LearningTask::kRegression,
            .seed = 7,
            .deadline = absl::InfiniteFuture(),
            .checkpoint = checkpoint};
  }
  absl::StatusOr<LocalTrainingResult> Train(CheckpointFile* checkpoint, NoisyModel& model,
                                            KilledAt& progress) {
    return TrainLocally(OptionsWith(checkpoint), examples_, clock_, model, progress);
  }
  void TrainUntilKilled(CheckpointFile* checkpoint, int64_t step) {
    NoisyModel model;
    KilledAt killed(step);
    EXPECT_THROW(Train(checkpoint, model, killed).IgnoreError(), std::runtime_error);
  }

  const TempFolder folder_;
  FaultyFileSystem files_;
  const SimulatedClock clock_;
  TensorExamples examples_;
};

TEST_P(CheckpointFileTest, TrainingThatIsTakenUpEndsWithTheSameBits) {
  NoisyModel undisturbed;
  KilledAt never(-1);
  ASSERT_OK_AND_ASSIGN(const LocalTrainingResult expected, Train(nullptr, undisturbed, never));

  for (const int64_t step : {1, 4, 8}) {
    CheckpointFile checkpoint(&files_, folder_.File(absl::StrCat("c", step)), absl::ZeroDuration());
    TrainUntilKilled(&checkpoint, step);
    NoisyModel model;  // A new process has the base model again.
    KilledAt watched(-1);
    torch::manual_seed(999);

    ASSERT_OK_AND_ASSIGN(const LocalTrainingResult result, Train(&checkpoint, model, watched));

    EXPECT_EQ(watched.first, step) << "it began where it was";
    EXPECT_EQ(model.WeightBytes(), undisturbed.WeightBytes()) << "killed at step " << step;
    EXPECT_EQ(model.steps(), 9);
    EXPECT_EQ(result.training_loss, expected.training_loss);
  }
}

TEST_P(CheckpointFileTest, WhatCannotBeUsedCostsOnlyTime) {
  NoisyModel undisturbed;
  KilledAt never(-1);
  ASSERT_THAT(Train(nullptr, undisturbed, never), IsOk());
  const std::string path = folder_.File("c");
  CheckpointFile checkpoint(&files_, path, absl::ZeroDuration());
  TrainUntilKilled(&checkpoint, 4);
  std::string whole;
  {
    ASSERT_OK_AND_ASSIGN(const auto file, files_.OpenForRead(path));
    whole.resize(file->size_bytes());
    ASSERT_THAT(file->ReadAt(0, absl::MakeSpan(whole.data(), whole.size())), IsOk());
  }

  for (const std::string& text :
       {std::string(), std::string("garbage"), whole.substr(0, whole.size() / 2)}) {
    folder_.Write("c", text);
    NoisyModel model;
    KilledAt watched(-1);
    ASSERT_THAT(Train(&checkpoint, model, watched), IsOk());
    EXPECT_EQ(watched.first, 0);
    EXPECT_EQ(model.WeightBytes(), undisturbed.WeightBytes());
  }
}

TEST_P(CheckpointFileTest, CheckpointOfAnotherTrainingIsNotTakenUp) {
  CheckpointFile checkpoint(&files_, folder_.File("c"), absl::ZeroDuration());
  TrainUntilKilled(&checkpoint, 4);
  NoisyModel model;
  torch::optim::SGD optimizer({model.State()[0].tensor}, torch::optim::SGDOptions(0.1));
  const std::string before = model.WeightBytes();

  for (const TrainingPosition& other :
       {TrainingPosition{.seed = 8, .step_count = 9, .examples = 13},
        TrainingPosition{.seed = 7, .step_count = 10, .examples = 13},
        TrainingPosition{.seed = 7, .step_count = 9, .examples = 14}}) {
    EXPECT_THAT(checkpoint.Restore(other, model, optimizer),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("of another training")));
  }
  EXPECT_EQ(model.WeightBytes(), before);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, CheckpointFileTest,
                         ::testing::Values(LocalOptimizer::kSgd, LocalOptimizer::kAdamW),
                         [](const auto& test) {
                           return test.param == LocalOptimizer::kSgd ? "Sgd" : "AdamW";
                         });

}  // namespace
}  // namespace entente::trainer
