// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/tensor_batches.h"

namespace entente::trainer {

TensorExamples ToTensors(const Examples& examples, const torch::Device& device) {
  std::vector<int64_t> shape = {examples.count};
  shape.insert(shape.end(), examples.shape.begin(), examples.shape.end());
  TensorExamples tensors;
  // from_blob() takes a non-const pointer and only reads: the copy follows at once.
  tensors.inputs =
      torch::from_blob(const_cast<float*>(examples.inputs.data()), shape, torch::kFloat32)
          .clone()
          .to(device);
  if (examples.value_count > 0) {
    tensors.targets = torch::from_blob(const_cast<float*>(examples.values.data()),
                                       {examples.count, examples.value_count}, torch::kFloat32)
                          .clone()
                          .to(device);
  } else {
    tensors.targets = torch::from_blob(const_cast<int64_t*>(examples.classes.data()),
                                       {examples.count}, torch::kInt64)
                          .clone()
                          .to(device);
  }
  return tensors;
}

TensorExamples Pick(const TensorExamples& examples, const std::vector<int64_t>& indices) {
  const torch::Tensor rows = torch::tensor(indices, torch::kInt64).to(examples.inputs.device());
  return TensorExamples{.inputs = examples.inputs.index_select(0, rows),
                        .targets = examples.targets.index_select(0, rows)};
}

torch::Tensor LossOf(LearningTask task, const torch::Tensor& outputs,
                     const torch::Tensor& targets) {
  if (task == LearningTask::kClassification) {
    return torch::nn::functional::cross_entropy(outputs, targets);
  }
  return torch::mse_loss(outputs, targets);
}

}  // namespace entente::trainer
