// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_RECIPE_RECIPE_EXAMPLES_H_
#define TESTS_UNIT_COMMON_RECIPE_RECIPE_EXAMPLES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// The least a recipe must say.
inline constexpr char kSmallestRecipe[] =
    "apiVersion: entente/v1\n"
    "kind: Recipe\n"
    "name: toy\n"
    "purpose: research\n"
    "dataset: toy\n"
    "model: {builtin: {architecture: mlp, inputShape: [4], outputs: 3}}\n"
    "task: classification\n";

// The smallest recipe with one part replaced; an empty `from` adds `to` at the end, as line 8.
inline std::string RecipeWith(absl::string_view from, absl::string_view to) {
  std::string text = kSmallestRecipe;
  if (from.empty()) return text + std::string(to) + "\n";
  const size_t at = text.find(std::string(from));
  return at == text.npos ? "the recipe lacks " + std::string(from)
                         : text.replace(at, from.size(), std::string(to));
}

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_RECIPE_RECIPE_EXAMPLES_H_
