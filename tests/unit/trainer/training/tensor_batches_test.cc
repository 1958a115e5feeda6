// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/tensor_batches.h"

#include <gtest/gtest.h>

namespace entente::trainer {
namespace {

Examples ThreeExamples() {
  return {
      .count = 3, .shape = {2}, .inputs = {1, 2, 3, 4, 5, 6}, .classes = {0, 1, 2}, .values = {}};
}

TEST(TensorBatchesTest, ExamplesAreCopiedAndPickedInOrder) {
  TensorExamples tensors;
  {
    const Examples examples = ThreeExamples();
    tensors = ToTensors(examples, torch::kCPU);
  }

  const TensorExamples picked = Pick(tensors, {2, 0});

  EXPECT_EQ(tensors.count(), 3);
  EXPECT_TRUE(torch::equal(picked.inputs, torch::tensor({{5.0F, 6.0F}, {1.0F, 2.0F}})));
  EXPECT_TRUE(torch::equal(picked.targets, torch::tensor({2, 0}, torch::kInt64)));
  EXPECT_EQ(TensorExamples{}.count(), 0);
}

TEST(TensorBatchesTest, LossesAreWhatTheirNamesSay) {
  const torch::Tensor logits = torch::tensor({{0.0F, 0.0F}, {0.0F, 0.0F}});
  EXPECT_NEAR(LossOf(LearningTask::kClassification, logits, torch::tensor({0, 1}, torch::kInt64))
                  .item<double>(),
              std::log(2.0), 1e-6);
  EXPECT_NEAR(LossOf(LearningTask::kRegression, logits, torch::full({2, 2}, 3.0F)).item<double>(),
              9, 1e-6);
}

}  // namespace
}  // namespace entente::trainer
