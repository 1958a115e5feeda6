// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace entente::trainer {
namespace {

// Answers with its inputs.
class Echo final : public Model {
 public:
  torch::Tensor Forward(const torch::Tensor& inputs) override { return inputs; }
  void SetTraining(bool training) override { is_training = training; }
  void MoveTo(const torch::Device&) override {}
  std::vector<StateTensor> State() const override { return {}; }
  bool is_training = true;
};

class CountedProgress final : public ProgressSink {
 public:
  void Report(const Progress& progress) override {
    ++reports;
    last = progress;
  }
  int reports = 0;
  Progress last;
};

TEST(EvaluationTest, AccuracyIsTheShareOfRightAnswers) {
  Echo model;
  CountedProgress progress;
  const TensorExamples examples = {
      .inputs = torch::tensor({{2.0F, 0.0F}, {0.0F, 2.0F}, {2.0F, 0.0F}, {2.0F, 0.0F}}),
      .targets = torch::tensor({0, 1, 1, 0}, torch::kInt64)};

  ASSERT_OK_AND_ASSIGN(const EvaluationResult result,
                       EvaluateModel(LearningTask::kClassification, examples, model, progress));

  EXPECT_EQ(result.examples, 4);
  EXPECT_EQ(result.accuracy, 0.75);
  EXPECT_NEAR(result.loss, std::log(1 + std::exp(-2)) + 0.5, 1e-5);
  EXPECT_FALSE(model.is_training);
}

TEST(EvaluationTest, BatchesOfUnequalSizeCountByTheirExamples) {
  Echo model;
  CountedProgress progress;
  torch::Tensor inputs = torch::zeros({300, 1});
  inputs.slice(0, 256, 300).fill_(3);
  const TensorExamples examples = {.inputs = inputs, .targets = torch::zeros({300, 1})};

  ASSERT_OK_AND_ASSIGN(const EvaluationResult result,
                       EvaluateModel(LearningTask::kRegression, examples, model, progress));

  EXPECT_NEAR(result.loss, 9.0 * 44 / 300, 1e-5);
  EXPECT_EQ(result.accuracy, std::nullopt);
  EXPECT_EQ(progress.reports, 2);
  EXPECT_EQ(progress.last.step_count, 2);
}

TEST(EvaluationTest, ALossThatIsNotFiniteIsAnError) {
  Echo model;
  CountedProgress progress;
  const TensorExamples examples = {
      .inputs = torch::full({1, 1}, std::numeric_limits<float>::infinity()),
      .targets = torch::zeros({1, 1})};

  EXPECT_THAT(EvaluateModel(LearningTask::kRegression, examples, model, progress),
              StatusIs(absl::StatusCode::kInvalidArgument, ::testing::HasSubstr("is not finite")));
}

}  // namespace
}  // namespace entente::trainer
