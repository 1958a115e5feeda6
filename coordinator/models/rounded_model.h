// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_MODELS_ROUNDED_MODEL_H_
#define COORDINATOR_MODELS_ROUNDED_MODEL_H_

// A model's rounded copy: the same tensors, the floating-point ones as BF16, for workers to
// download. It is a function of the model alone, so one that is lost is made again as it was.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "common/tensor/layout.h"
#include "coordinator/models/model_store.h"

namespace entente::models {

// That of a model's rounded copy: every tensor at the same place. The model's floating-point
// tensors are F32.
Layout RoundedLayout(const Layout& model);

// Replaces `bytes` by the values as BF16; values[0] is element `first` of the tensor.
// INVALID_ARGUMENT, naming the tensor, if one is too large for it.
absl::Status RoundValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         std::string* bytes);

// Makes the copy of a model in the store, if it is not there yet, and says which it is. `label` as
// for ModelStore::TemporaryPath. INVALID_ARGUMENT as RoundValues; otherwise as the store and the
// disk. On error no temporary file is left; if only the last step failed the copy is stored, which
// the next try needs.
absl::StatusOr<Digest> RoundModel(ModelStore& store, FileSystem& files, const Digest& model,
                                  absl::string_view label);

}  // namespace entente::models

#endif  // COORDINATOR_MODELS_ROUNDED_MODEL_H_
