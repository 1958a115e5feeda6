// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RECIPE_RECIPE_H_
#define COMMON_RECIPE_RECIPE_H_

// What a recipe must be, in one place for everybody: the command line checks it before it is sent,
// the coordinator because it believes nobody, the worker for the same reason.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "entente/v1/recipe.pb.h"

namespace entente {

// Sets every default that proto/entente/v1/recipe.proto names on what is not set, where it means
// something: sgd gets a momentum, adamw does not.
void FillRecipeDefaults(v1::Recipe* recipe);

// OK if every field is in the range recipe.proto names. `recipe` must have its defaults filled in.
// INVALID_ARGUMENT naming the key by its path, its value, what it may be: `training.batchSize is 0;
// it must be 1 to 65,536`. Refused too: what the other settings make meaningless (the momentum of
// adamw), and fields or words from a newer version, which this one would ignore.
absl::Status CheckRecipe(const v1::Recipe& recipe);

// YAML text to a complete, checked recipe: YamlToProto, defaults, CheckRecipe, whose errors get
// file:line:column in front. apiVersion and kind must be there and right.
absl::StatusOr<v1::Recipe> ParseRecipe(absl::string_view yaml, absl::string_view file_name);

// The recipe as `entente job submit --dry-run` prints it, and what its digest is taken of. A file
// that has its digest is named by that alone: its path is the submitter's own affair.
std::string CanonicalRecipeText(const v1::Recipe& recipe);

// SHA-256 of CanonicalRecipeText.
Digest RecipeDigest(const v1::Recipe& recipe);

// "mlp", "cnn" or "torchscript": what local policies call a model's kind.
std::string ModelKind(const v1::Recipe& recipe);

}  // namespace entente

#endif  // COMMON_RECIPE_RECIPE_H_
