// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_CLOSEST_WORD_H_
#define COMMON_BASE_CLOSEST_WORD_H_

// "Did you mean ...?": which of the words we know somebody who wrote another one had in mind.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entente {

// How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b`, each
// letter touched once (Damerau 1964, restricted edit distance). Bytes count, ASCII case does not.
size_t EditDistance(absl::string_view a, absl::string_view b);

// The candidate nearest to `word`, the first of equals; none if even that one is further away than
// a third of the longer word's letters (but one slip is always forgiven), or if `word` is over 100
// bytes long.
std::optional<std::string> ClosestWord(absl::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace entente

#endif  // COMMON_BASE_CLOSEST_WORD_H_
