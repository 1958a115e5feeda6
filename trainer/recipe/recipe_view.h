// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_RECIPE_RECIPE_VIEW_H_
#define TRAINER_RECIPE_RECIPE_VIEW_H_

// The part of a recipe that local training needs, read from JSON or YAML with every default filled
// in, as `entente job submit --dry-run` prints it and the worker sends it. The schema with all
// ranges is proto/entente/v1/recipe.proto; the trainer reads the text itself so that it builds
// without protobuf.

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente::trainer {

enum class Architecture { kMlp, kCnn };
enum class LearningTask { kClassification, kRegression };
enum class LocalOptimizer { kSgd, kAdamW };

// One of Entente's own architectures.
struct BuiltinView {
  Architecture architecture = Architecture::kMlp;
  std::vector<int64_t> input_shape;  // Of one example: [features] or [channels, height, width].
  int64_t outputs = 0;
  std::vector<int64_t> channels;  // Of each convolution; empty for an mlp.
  std::vector<int64_t> hidden;
};

// How to train locally. Exactly one of `epochs` and `steps` is set.
struct TrainingView {
  std::optional<int64_t> epochs;
  std::optional<int64_t> steps;
  int64_t batch_size = 0;
  LocalOptimizer optimizer = LocalOptimizer::kSgd;
  double learning_rate = 0;
  double momentum = 0;  // Of sgd.
  double weight_decay = 0;
  double proximal_mu = 0;
  uint64_t seed = 0;
};

struct RecipeView {
  std::optional<BuiltinView> builtin;  // Absent: the model is a TorchScript program.
  LearningTask task = LearningTask::kClassification;
  TrainingView training;
};

// INVALID_ARGUMENT, naming `source` and the key: not YAML, a key missing, of the wrong type or out
// of range. Keys that training does not need are not looked at.
absl::StatusOr<RecipeView> ParseRecipe(absl::string_view text, absl::string_view source);

}  // namespace entente::trainer

#endif  // TRAINER_RECIPE_RECIPE_VIEW_H_
