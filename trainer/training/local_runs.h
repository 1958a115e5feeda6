// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_TRAINING_LOCAL_RUNS_H_
#define TRAINER_TRAINING_LOCAL_RUNS_H_

// What the trainer does outside a federation, for its subcommands: initial weights, a look into a
// model file, evaluation, training on one's own data alone. This header includes no LibTorch.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/tensor/layout.h"
#include "trainer/data/dataset.h"
#include "trainer/protocol/training_session.h"
#include "trainer/recipe/recipe_view.h"

namespace entente::trainer {

// Which model, where it runs.
struct ModelChoice {
  RecipeView recipe;
  std::string program;          // The TorchScript file; empty for a built-in architecture.
  std::string initial_weights;  // A safetensors file; empty for the model's own.
  DeviceChoice device = DeviceChoice::kAuto;
  int threads = 1;
};

// Writes the weights that training starts from, checked for names and shapes if they come from a
// file. Returns their layout.
absl::StatusOr<Layout> InitializeModel(FileSystem& files, const ModelChoice& choice,
                                       const std::string& output);

struct ModelInspection {
  std::string format;  // "safetensors" or "torchscript".
  Layout layout;
  // Elements of the trainable parameters; in safetensors, where parameters and buffers look the
  // same, of all floating-point tensors.
  uint64_t parameter_count = 0;
};

// What a model file holds. INVALID_ARGUMENT if it is of neither format.
absl::StatusOr<ModelInspection> InspectModel(FileSystem& files, const std::string& path);

// Evaluates the weights of choice.initial_weights on one part of the data.
absl::StatusOr<EvaluationResult> EvaluateOnPart(FileSystem& files, const ModelChoice& choice,
                                                const DatasetSource& source, DatasetPart part,
                                                ProgressSink& progress);

struct AloneRequest {
  DatasetSource source;
  int64_t rounds = 1;
  std::string output;  // The model after the last round.
};

// Trains as a federation of one would: `rounds` times the recipe's local training, each with a
// fresh optimizer, each from where the last ended.
absl::StatusOr<UpdateResult> TrainAlone(FileSystem& files, const Clock& clock,
                                        const ModelChoice& choice, const AloneRequest& request,
                                        ProgressSink& progress);

}  // namespace entente::trainer

#endif  // TRAINER_TRAINING_LOCAL_RUNS_H_
