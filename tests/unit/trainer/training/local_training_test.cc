// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/local_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

// outputs = inputs * weight, one number each: training can be followed by hand.
class Line final : public Model {
 public:
  explicit Line(float weight) : weight_(torch::full({1, 1}, weight, torch::requires_grad())) {}
  torch::Tensor Forward(const torch::Tensor& inputs) override {
    return torch::matmul(inputs, weight_);
  }
  void SetTraining(bool) override {}
  void MoveTo(const torch::Device&) override {}
  std::vector<StateTensor> State() const override {
    return {{.name = "weight", .tensor = weight_, .is_parameter = true}};
  }
  double weight() const { return weight_.item<double>(); }

 private:
  const torch::Tensor weight_;
};

class SilentProgress final : public ProgressSink {
 public:
  void Report(const Progress& progress) override { last = progress; }
  Progress last;
};

// Every example is 1 -> 3, so the loss is (w - 3)^2 and its gradient 2 (w - 3).
TensorExamples OneToThree(int64_t count) {
  return {.inputs = torch::ones({count, 1}), .targets = torch::full({count, 1}, 3.0F)};
}

LocalTrainingOptions Options() {
  return {.training = {.epochs = 1,
                       .steps = std::nullopt,
                       .batch_size = 2,
                       .optimizer = LocalOptimizer::kSgd,
                       .learning_rate = 0.1,
                       .momentum = 0,
                       .weight_decay = 0,
                       .proximal_mu = 0,
                       .seed = 1},
          .task = LearningTask::kRegression,
          .seed = 1};
}

class LocalTrainingTest : public ::testing::Test {
 protected:
  absl::StatusOr<LocalTrainingResult> Train(const LocalTrainingOptions& options, int64_t count,
                                            Line& model) {
    return TrainLocally(options, OneToThree(count), clock_, model, progress_);
  }

  const SimulatedClock clock_;
  SilentProgress progress_;
};

TEST_F(LocalTrainingTest, AnEpochIsEveryExampleOnce) {
  Line model(1);

  ASSERT_OK_AND_ASSIGN(const LocalTrainingResult result, Train(Options(), 5, model));

  // w - 3: -2, -1.6, -1.28, -1.024 after three steps; losses 4, 2.56 over two examples, 1.6384 over
  // one.
  EXPECT_EQ(result.steps, 3);
  EXPECT_NEAR(model.weight(), 3 - 1.024, 1e-5);
  EXPECT_NEAR(result.training_loss, (2 * 4 + 2 * 2.56 + 1.6384) / 5, 1e-5);
  EXPECT_EQ(progress_.last.step, 3);
  EXPECT_EQ(progress_.last.step_count, 3);
}

TEST_F(LocalTrainingTest, StepsGoRoundTheDataAsOftenAsNeeded) {
  Line model(1);
  LocalTrainingOptions options = Options();
  options.training.epochs = std::nullopt;
  options.training.steps = 7;

  ASSERT_OK_AND_ASSIGN(const LocalTrainingResult result, Train(options, 3, model));

  EXPECT_EQ(result.steps, 7);
  EXPECT_NEAR(model.weight(), 3 - 2 * std::pow(0.8, 7), 1e-5);
}

TEST_F(LocalTrainingTest, MomentumAndWeightDecayCount) {
  Line model(1);
  LocalTrainingOptions options = Options();
  options.training.momentum = 0.5;
  options.training.weight_decay = 0.1;

  ASSERT_THAT(Train(options, 4, model), IsOk());

  // Step 1: g = -4 + 0.1, w = 1.39. Step 2: v = 0.5 (-3.9) + 2 (1.39 - 3) + 0.139 = -5.031.
  EXPECT_NEAR(model.weight(), 1.39 + 0.5031, 1e-5);
}

TEST_F(LocalTrainingTest, TheProximalTermHoldsTheModelNearTheBase) {
  Line model(1);
  LocalTrainingOptions options = Options();
  options.training.proximal_mu = 2;

  ASSERT_THAT(Train(options, 4, model), IsOk());

  // Step 1: g = -4, w = 1.4. Step 2: g = 2 (1.4 - 3) + 2 (1.4 - 1) = -2.4.
  EXPECT_NEAR(model.weight(), 1.64, 1e-5);
}

TEST_F(LocalTrainingTest, AdamWMovesByTheLearningRateAtFirst) {
  Line model(1);
  LocalTrainingOptions options = Options();
  options.training.optimizer = LocalOptimizer::kAdamW;

  ASSERT_THAT(Train(options, 2, model), IsOk());

  EXPECT_NEAR(model.weight(), 1.1, 1e-5);
}

TEST_F(LocalTrainingTest, ALossThatIsNotFiniteNamesItsStep) {
  Line model(std::numeric_limits<float>::infinity());

  EXPECT_THAT(Train(Options(), 2, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "the loss became not finite at step 1; lower the learning rate"));
}

TEST_F(LocalTrainingTest, TheDeadlineEndsTraining) {
  Line model(1);
  LocalTrainingOptions options = Options();
  options.deadline = clock_.Now();

  EXPECT_THAT(Train(options, 2, model),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("after 0 of 1 steps")));
}

}  // namespace
}  // namespace entente::trainer
