// SPDX-License-Identifier: Apache-2.0
#include "common/base/closest_word.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace entente {
namespace {

constexpr size_t kWordBytesMax = 100;  // The table below is quadratic, and `word` is anybody's.

}  // namespace

size_t EditDistance(absl::string_view a, absl::string_view b) {
  const auto same = [&](size_t i, size_t j) {
    return absl::ascii_tolower(static_cast<unsigned char>(a[i])) ==
           absl::ascii_tolower(static_cast<unsigned char>(b[j]));
  };
  // Rows i-2, i-1 and i of the table whose entry [i][j] is the distance of a's first i letters from
  // b's first j.
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::optional<std::string> ClosestWord(absl::string_view word,
                                       const std::vector<std::string>& candidates) {
  if (word.size() > kWordBytesMax) return std::nullopt;
  std::optional<std::string> closest;
  size_t closest_distance = 0;
  for (const std::string& candidate : candidates) {
    const size_t longer = std::max(word.size(), candidate.size());
    const size_t distance = EditDistance(word, candidate);
    // Nothing in common is no slip, however short the words are.
    if (distance > std::max<size_t>(1, longer / 3) || distance == longer) continue;
    if (closest.has_value() && distance >= closest_distance) continue;
    closest = candidate;
    closest_distance = distance;
  }
  return closest;
}

}  // namespace entente
