// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_CACHE_MODEL_EXPANSION_H_
#define WORKER_CACHE_MODEL_EXPANSION_H_

// A model that came with BF16 tensors, as the trainer reads it: with F32. Every number stays what
// it is, and every other tensor too.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/tensor/layout.h"
#include "common/tensor/safetensors.h"

namespace entente::worker {

// `model` with F32 for BF16. INVALID_ARGUMENT if that would be too large to be a layout.
absl::StatusOr<Layout> ExpandedLayout(const Layout& model);

// Writes the model as `expanded`, its ExpandedLayout, to `target`, in pieces and without a sync: it
// can be made again. On error the target may be there in part.
absl::Status ExpandModel(FileSystem& files, const SafetensorsReader& model, const Layout& expanded,
                         const std::string& target);

}  // namespace entente::worker

#endif  // WORKER_CACHE_MODEL_EXPANSION_H_
