// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_MODELS_MODEL_CHECK_H_
#define COORDINATOR_MODELS_MODEL_CHECK_H_

#include "absl/status/status.h"
#include "common/tensor/safetensors.h"

namespace entente::models {

// OK if a model can be trained here: canonical safetensors, at least one number to train, every
// floating-point tensor F32 with finite values, and names that leave room for the optimizer's
// prefix. Reads the file once. INVALID_ARGUMENT naming the tensor otherwise.
absl::Status CheckModel(const SafetensorsReader& model);

}  // namespace entente::models

#endif  // COORDINATOR_MODELS_MODEL_CHECK_H_
