// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_MODELS_MODEL_H_
#define TRAINER_MODELS_MODEL_H_

// A model that can be trained: what training, evaluation and the model files need to know of a
// built-in architecture or a TorchScript program. Its functions throw what LibTorch throws;
// torch_seam.h is where that ends.

#include <torch/torch.h>

#include <string>
#include <vector>

namespace entente::trainer {

struct StateTensor {
  std::string name;
  torch::Tensor tensor;  // Shares its memory with the model.
  bool is_parameter = false;
};

// Not thread-safe.
class Model {
 public:
  virtual ~Model() = default;

  // Predictions for a batch of inputs: [batch, outputs].
  virtual torch::Tensor Forward(const torch::Tensor& inputs) = 0;

  // Whether dropout and batch normalization behave as in training.
  virtual void SetTraining(bool training) = 0;

  virtual void MoveTo(const torch::Device& device) = 0;

  // Every parameter and buffer. Ask again after MoveTo().
  virtual std::vector<StateTensor> State() const = 0;
};

// The parameters, each once even if the model uses it under several names.
std::vector<torch::Tensor> ParametersOf(const Model& model);

}  // namespace entente::trainer

#endif  // TRAINER_MODELS_MODEL_H_
