// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_MODELS_BUILTIN_H_
#define TRAINER_MODELS_BUILTIN_H_

// Entente's own architectures:
//
//   mlp  flatten, then for each of `hidden`: linear, ReLU; then linear to `outputs`
//   cnn  for each of `channels`: 3x3 convolution with padding 1, 2x2 max pooling, ReLU; then an mlp
//
// Tensors are named convolutions.0.weight, hidden.0.bias, output.weight and so on.

#include <memory>

#include "absl/status/statusor.h"
#include "trainer/models/model.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

// Weights are drawn from `seed` as LibTorch initializes such layers. INVALID_ARGUMENT if the model
// would have more than 2^34 parameters.
absl::StatusOr<std::unique_ptr<Model>> MakeBuiltinModel(const BuiltinView& view, uint64_t seed);

}  // namespace entente::trainer

#endif  // TRAINER_MODELS_BUILTIN_H_
