// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RECIPE_RECIPE_ENCODING_H_
#define COMMON_RECIPE_RECIPE_ENCODING_H_

// A recipe's words for how updates travel, and what common/codec makes of them.

#include <vector>

#include "common/codec/update_encoding.h"
#include "entente/v1/recipe.pb.h"
#include "entente/v1/task.pb.h"

namespace entente {

// What a recipe that FillRecipeDefaults completed and CheckRecipe passed asks for. Its numbers are
// taken for topk only.
UpdateEncoding EncodingOf(const v1::Updates& updates);

// Every encoding that this version can write and read.
std::vector<v1::Updates::Encoding> KnownEncodings();
// Says them in a Hello.
void NameEncodings(v1::Hello* hello);

// Likewise every form in which it can read models, and every compression.
std::vector<v1::Updates::Download> KnownDownloads();
std::vector<v1::Updates::Compression> KnownCompressions();

// What a worker can write whose Hello names none: it is older than the others.
std::vector<v1::Updates::Encoding> FirstEncodings();

}  // namespace entente

#endif  // COMMON_RECIPE_RECIPE_ENCODING_H_
