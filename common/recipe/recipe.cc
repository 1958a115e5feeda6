// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe.h"

#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/proto_to_json.h"
#include "common/config/yaml_to_proto.h"
#include "common/recipe/recipe_check.h"

namespace entente {
namespace {

void LeaveOutPath(v1::FileReference* reference) {
  if (!reference->digest().empty()) reference->clear_file();
}

}  // namespace

absl::Status CheckRecipe(const v1::Recipe& recipe) { return RecipeMistakes(recipe).ToStatus(); }

absl::StatusOr<v1::Recipe> ParseRecipe(absl::string_view yaml, absl::string_view file_name) {
  v1::Recipe recipe;
  YamlPlaces places;
  ENTENTE_RETURN_IF_ERROR(ParseConfig(yaml, file_name, &recipe, &places));
  FillRecipeDefaults(&recipe);
  ENTENTE_RETURN_IF_ERROR(RecipeMistakes(recipe).ToStatus(file_name, places));
  return recipe;
}

std::string CanonicalRecipeText(const v1::Recipe& recipe) {
  v1::Recipe shown = recipe;
  if (shown.model().has_torchscript()) LeaveOutPath(shown.mutable_model()->mutable_torchscript());
  if (shown.model().has_initial_weights()) {
    LeaveOutPath(shown.mutable_model()->mutable_initial_weights());
  }
  return ProtoToYaml(shown);
}

Digest RecipeDigest(const v1::Recipe& recipe) { return Sha256Of(CanonicalRecipeText(recipe)); }

std::string ModelKind(const v1::Recipe& recipe) {
  if (recipe.model().has_torchscript()) return "torchscript";
  return recipe.model().builtin().architecture() == v1::BuiltinModel::ARCHITECTURE_CNN ? "cnn"
                                                                                       : "mlp";
}

}  // namespace entente
