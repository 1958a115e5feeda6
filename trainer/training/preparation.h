// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_PREPARATION_H_
#define TRAINER_TRAINING_PREPARATION_H_

// What comes before any training or evaluation: the device, the model, the data, and whether they
// fit.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "trainer/data/dataset.h"
#include "trainer/models/model.h"
#include "trainer/protocol/message.h"
#include "trainer/recipe/recipe_view.h"
#include "trainer/training/tensor_batches.h"

namespace entente::trainer {

// Picks the device and makes LibTorch deterministic on it, with `threads` threads. INVALID_ARGUMENT
// if cuda is asked for and there is none.
absl::StatusOr<torch::Device> PrepareDevice(DeviceChoice choice, int threads);

// The recipe's model with its own initial weights: drawn from the recipe's seed, or the program's.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(const RecipeView& recipe,
                                                 const std::string& program);

// Reads one part of the data, checks it against the recipe and the model by predicting one example,
// and puts it on `device`, where `model` must be.
absl::StatusOr<TensorExamples> LoadPart(FileSystem& files, const DatasetSource& source,
                                        DatasetPart part, const RecipeView& recipe,
                                        const torch::Device& device, Model& model);

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_PREPARATION_H_
