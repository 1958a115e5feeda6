// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/model.h"

#include <algorithm>

namespace entente::trainer {

std::vector<torch::Tensor> ParametersOf(const Model& model) {
  std::vector<torch::Tensor> parameters;
  for (const StateTensor& state : model.State()) {
    const bool known = std::any_of(
        parameters.begin(), parameters.end(),
        [&state](const auto& other) { return other.data_ptr() == state.tensor.data_ptr(); });
    if (state.is_parameter && !known) parameters.push_back(state.tensor);
  }
  return parameters;
}

}  // namespace entente::trainer
