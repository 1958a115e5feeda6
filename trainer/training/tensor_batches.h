// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_TENSOR_BATCHES_H_
#define TRAINER_TRAINING_TENSOR_BATCHES_H_

// Examples as tensors on the device that trains, and the loss of a batch.

#include <torch/torch.h>

#include <vector>

#include "trainer/data/examples.h"
#include "trainer/models/model.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

struct TensorExamples {
  torch::Tensor inputs;   // [count, shape...], float32.
  torch::Tensor targets;  // [count] classes as int64, or [count, values] as float32.
  int64_t count() const { return inputs.defined() ? inputs.size(0) : 0; }
};

// Copies.
TensorExamples ToTensors(const Examples& examples, const torch::Device& device);

// The examples at `indices`, in that order.
TensorExamples Pick(const TensorExamples& examples, const std::vector<int64_t>& indices);

// Mean loss of a batch: cross entropy, or the mean squared error.
torch::Tensor LossOf(LearningTask task, const torch::Tensor& outputs, const torch::Tensor& targets);

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_TENSOR_BATCHES_H_
