// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/examples.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace entente::trainer {
namespace {

// [1,28,28] and [28,28] are the same picture.
std::vector<int64_t> WithoutLeadingOnes(const std::vector<int64_t>& shape) {
  size_t start = 0;
  while (start + 1 < shape.size() && shape[start] == 1) ++start;
  return std::vector<int64_t>(shape.begin() + static_cast<std::ptrdiff_t>(start), shape.end());
}

int64_t ElementCount(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t side : shape) count *= side;
  return count;
}

}  // namespace

absl::Status FitShape(const std::vector<int64_t>& input_shape, absl::string_view source,
                      Examples& examples) {
  const bool same = WithoutLeadingOnes(examples.shape) == WithoutLeadingOnes(input_shape);
  const bool flat = input_shape.size() == 1 && input_shape[0] == ElementCount(examples.shape);
  if (!same && !flat) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": examples have shape [", absl::StrJoin(examples.shape, ","),
                     "], the recipe's inputShape is [", absl::StrJoin(input_shape, ","), "]"));
  }
  examples.shape = input_shape;
  return absl::OkStatus();
}

absl::Status CheckTargets(const Examples& examples, int64_t outputs, absl::string_view source) {
  for (const int64_t label : examples.classes) {  // Not to be told: the sentence leaves the site.
    if (label < 0 || label >= outputs) {
      return absl::InvalidArgumentError(absl::StrCat(source, ": a label is not one of the model's ",
                                                     outputs, " outputs (labels 0 to ", outputs - 1,
                                                     ")"));
    }
  }
  if (examples.classes.empty() && examples.value_count != outputs) {
    return absl::InvalidArgumentError(absl::StrCat(source, ": has ", examples.value_count,
                                                   " target values an example, and the model has ",
                                                   outputs, " outputs"));
  }
  return absl::OkStatus();
}

}  // namespace entente::trainer
