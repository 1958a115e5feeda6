// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RECIPE_RECIPE_CHECK_H_
#define COMMON_RECIPE_RECIPE_CHECK_H_

// The checks behind CheckRecipe and ParseRecipe, which differ only in how a mistake is placed.

#include "common/config/field_check.h"
#include "entente/v1/recipe.pb.h"

namespace entente {

// The first mistake in a recipe whose defaults are filled in, if there is one.
FieldCheck RecipeMistakes(const v1::Recipe& recipe);

}  // namespace entente

#endif  // COMMON_RECIPE_RECIPE_CHECK_H_
