// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_MODELS_MODEL_FILES_H_
#define TRAINER_MODELS_MODEL_FILES_H_

// Between a model's tensors and canonical safetensors files.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/tensor/layout.h"
#include "trainer/models/model.h"

namespace entente::trainer {

// Names, types and shapes of the whole state. INVALID_ARGUMENT if a tensor's type has no
// safetensors name.
absl::StatusOr<Layout> LayoutOf(const Model& model);

// Fills the model from the file. INVALID_ARGUMENT, naming file and tensor, if names, types or
// shapes are not the model's; the model is then unchanged. INVALID_ARGUMENT too if a value is not
// finite.
absl::Status ReadModel(FileSystem& files, const std::string& path, Model& model);

// Writes the whole state: "<path>.tmp", sync, rename. No file is left on an error.
absl::Status WriteModel(FileSystem& files, const std::string& path, const Model& model);

// Writes any tensors, in whatever order they come, the way WriteModel() writes.
absl::Status WriteTensorFile(FileSystem& files, const std::string& path,
                             std::vector<StateTensor> tensors);

// Every tensor of a file, on the CPU, sorted by name. INVALID_ARGUMENT if it is no safetensors
// file.
absl::StatusOr<std::vector<StateTensor>> ReadTensorFile(FileSystem& files, const std::string& path);

// A copy of the state's floating-point tensors, to measure an update from.
std::vector<StateTensor> CopyFloatState(const Model& model);

// Writes `model - base` of every floating-point tensor as F32, the way WriteModel() writes.
// INVALID_ARGUMENT if a value is not finite. `base` comes from CopyFloatState() of the same model.
absl::Status WriteUpdate(FileSystem& files, const std::string& path,
                         const std::vector<StateTensor>& base, const Model& model);

}  // namespace entente::trainer

#endif  // TRAINER_MODELS_MODEL_FILES_H_
