// SPDX-License-Identifier: Apache-2.0
#include "trainer/recipe/recipe_view.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::trainer {
namespace {

constexpr int64_t kSideMax = 65536;
constexpr size_t kLayersMax = 8;
constexpr double kFeaturesMax =
    1 << 30;  // Of one example; keeps every size product within 64 bits.

// Looks keys up by their path and says so when they are not what they should be.
class RecipeReader {
 public:
  RecipeReader(const YAML::Node& root, absl::string_view source) : root_(root), source_(source) {}

  // "training.batchSize" -> the node; nullopt if it or a parent is missing.
  std::optional<YAML::Node> Find(const std::string& path) const {
    YAML::Node node = root_;  // Shares the tree; reset() below only moves this name along it.
    size_t start = 0;
    while (start <= path.size()) {
      const size_t dot = std::min(path.find('.', start), path.size());
      if (!node.IsMap()) return std::nullopt;
      const YAML::Node child = std::as_const(node)[path.substr(start, dot - start)];
      if (!child.IsDefined() || child.IsNull()) return std::nullopt;
      node.reset(child);
      start = dot + 1;
    }
    return node;
  }

  absl::StatusOr<YAML::Node> Require(const std::string& path) const {
    const std::optional<YAML::Node> node = Find(path);
    if (!node.has_value()) {
      return Error(path, "is missing; give the recipe as `entente job submit --dry-run` prints it");
    }
    return *node;
  }

  absl::StatusOr<std::string> Text(const std::string& path) const {
    ENTENTE_ASSIGN_OR_RETURN(const YAML::Node node, Require(path));
    if (!node.IsScalar()) return Error(path, "must be a word");
    return node.Scalar();
  }

  absl::StatusOr<int64_t> Integer(const std::string& path, int64_t min, int64_t max) const {
    ENTENTE_ASSIGN_OR_RETURN(const YAML::Node node, Require(path));
    return IntegerOf(node, path, min, max);
  }

  absl::StatusOr<double> Number(const std::string& path, double min, double max) const {
    ENTENTE_ASSIGN_OR_RETURN(const YAML::Node node, Require(path));
    double value = 0;
    if (!node.IsScalar() || !absl::SimpleAtod(node.Scalar(), &value) || !std::isfinite(value)) {
      return Error(path, absl::StrCat("is ", Shown(node), ", expected a number"));
    }
    if (value < min || value > max) {
      return Error(path, absl::StrCat("is ", value, ", expected ", min, " to ", max));
    }
    return value;
  }

  absl::StatusOr<std::vector<int64_t>> Sizes(const std::string& path, size_t count_max) const {
    ENTENTE_ASSIGN_OR_RETURN(const YAML::Node node, Require(path));
    if (!node.IsSequence() || node.size() == 0 || node.size() > count_max) {
      return Error(path, absl::StrCat("must be a list of 1 to ", count_max, " numbers"));
    }
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < node.size(); ++i) {
      ENTENTE_ASSIGN_OR_RETURN(const int64_t size,
                               IntegerOf(node[i], absl::StrCat(path, "[", i, "]"), 1, kSideMax));
      sizes.push_back(size);
    }
    return sizes;
  }

  absl::Status Error(absl::string_view path, absl::string_view fault) const {
    return absl::InvalidArgumentError(absl::StrCat(source_, ": ", path, " ", fault));
  }

 private:
  static std::string Shown(const YAML::Node& node) {
    return node.IsScalar() ? absl::StrCat("\"", node.Scalar(), "\"") : "not a single value";
  }

  absl::StatusOr<int64_t> IntegerOf(const YAML::Node& node, const std::string& path, int64_t min,
                                    int64_t max) const {
    int64_t value = 0;
    if (!node.IsScalar() || !absl::SimpleAtoi(node.Scalar(), &value)) {
      return Error(path, absl::StrCat("is ", Shown(node), ", expected a whole number"));
    }
    if (value < min || value > max) {
      return Error(path, absl::StrCat("is ", value, ", expected ", min, " to ", max));
    }
    return value;
  }

  const YAML::Node& root_;
  const absl::string_view source_;
};

absl::StatusOr<BuiltinView> ReadBuiltin(const RecipeReader& recipe) {
  BuiltinView view;
  ENTENTE_ASSIGN_OR_RETURN(const std::string architecture,
                           recipe.Text("model.builtin.architecture"));
  if (architecture != "mlp" && architecture != "cnn") {
    return recipe.Error("model.builtin.architecture",
                        absl::StrCat("is \"", architecture, "\", expected mlp or cnn"));
  }
  view.architecture = architecture == "cnn" ? Architecture::kCnn : Architecture::kMlp;
  ENTENTE_ASSIGN_OR_RETURN(view.input_shape, recipe.Sizes("model.builtin.inputShape", 3));
  ENTENTE_ASSIGN_OR_RETURN(view.outputs, recipe.Integer("model.builtin.outputs", 1, kSideMax));
  ENTENTE_ASSIGN_OR_RETURN(view.hidden, recipe.Sizes("model.builtin.hidden", kLayersMax));
  double features = 1;
  for (const int64_t side : view.input_shape) features *= static_cast<double>(side);
  if (features > kFeaturesMax) {
    return recipe.Error("model.builtin.inputShape", "makes an example of more than 2^30 numbers");
  }
  if (view.architecture == Architecture::kMlp) return view;

  if (view.input_shape.size() != 3) {
    return recipe.Error("model.builtin.inputShape", "must be [channels, height, width] for a cnn");
  }
  ENTENTE_ASSIGN_OR_RETURN(view.channels, recipe.Sizes("model.builtin.channels", kLayersMax));
  const int64_t side = std::min(view.input_shape[1], view.input_shape[2]);
  if ((side >> view.channels.size()) == 0) {
    return recipe.Error(
        "model.builtin.channels",
        absl::StrCat("has ", view.channels.size(), " convolutions, each halving the image, and ",
                     side, " pixels do not last that long"));
  }
  return view;
}

absl::StatusOr<TrainingView> ReadTraining(const RecipeReader& recipe) {
  TrainingView view;
  const bool has_epochs = recipe.Find("training.epochs").has_value();
  const bool has_steps = recipe.Find("training.steps").has_value();
  if (has_epochs && has_steps) {
    return recipe.Error("training.steps", "is given beside training.epochs; give one of the two");
  }
  if (has_steps) {
    ENTENTE_ASSIGN_OR_RETURN(view.steps, recipe.Integer("training.steps", 1, 10'000'000));
  } else {
    ENTENTE_ASSIGN_OR_RETURN(view.epochs, recipe.Integer("training.epochs", 1, 1000));
  }
  ENTENTE_ASSIGN_OR_RETURN(view.batch_size, recipe.Integer("training.batchSize", 1, kSideMax));
  ENTENTE_ASSIGN_OR_RETURN(const std::string optimizer, recipe.Text("training.optimizer"));
  if (optimizer != "sgd" && optimizer != "adamw") {
    return recipe.Error("training.optimizer",
                        absl::StrCat("is \"", optimizer, "\", expected sgd or adamw"));
  }
  view.optimizer = optimizer == "sgd" ? LocalOptimizer::kSgd : LocalOptimizer::kAdamW;
  const double over_zero = std::numeric_limits<double>::min();
  ENTENTE_ASSIGN_OR_RETURN(view.learning_rate,
                           recipe.Number("training.learningRate", over_zero, 100));
  if (view.optimizer == LocalOptimizer::kSgd) {  // adamw has none, and the key is not there.
    ENTENTE_ASSIGN_OR_RETURN(view.momentum,
                             recipe.Number("training.momentum", 0, std::nextafter(1.0, 0.0)));
  }
  ENTENTE_ASSIGN_OR_RETURN(view.weight_decay, recipe.Number("training.weightDecay", 0, 1));
  ENTENTE_ASSIGN_OR_RETURN(view.proximal_mu, recipe.Number("training.proximalMu", 0, 100));
  ENTENTE_ASSIGN_OR_RETURN(const int64_t seed,
                           recipe.Integer("training.seed", 0, std::numeric_limits<int64_t>::max()));
  view.seed = static_cast<uint64_t>(seed);
  return view;
}

absl::StatusOr<RecipeView> ReadRecipe(const RecipeReader& recipe) {
  RecipeView view;
  const bool has_builtin = recipe.Find("model.builtin").has_value();
  if (!has_builtin && !recipe.Find("model.torchscript").has_value()) {
    return recipe.Error("model", "must have builtin or torchscript");
  }
  if (has_builtin) {
    ENTENTE_ASSIGN_OR_RETURN(view.builtin, ReadBuiltin(recipe));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::string task, recipe.Text("task"));
  if (task != "classification" && task != "regression") {
    return recipe.Error("task",
                        absl::StrCat("is \"", task, "\", expected classification or regression"));
  }
  view.task = task == "classification" ? LearningTask::kClassification : LearningTask::kRegression;
  ENTENTE_ASSIGN_OR_RETURN(view.training, ReadTraining(recipe));
  return view;
}

}  // namespace

absl::StatusOr<RecipeView> ParseRecipe(absl::string_view text, absl::string_view source) {
  try {  // yaml-cpp's one seam: it throws on broken text.
    const YAML::Node root = YAML::Load(std::string(text));
    if (!root.IsMap()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": is not a recipe, expected keys and values"));
    }
    return ReadRecipe(RecipeReader(root, source));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(source, ":", error.mark.line + 1, ":",
                                                   error.mark.column + 1, ": ", error.msg));
  }
}

}  // namespace entente::trainer
