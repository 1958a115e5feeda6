// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/state_layout.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace entente::optimizer {

absl::StatusOr<Layout> StateLayout(const Layout& model,
                                   absl::Span<const absl::string_view> state_names) {
  ENTENTE_CHECK(std::is_sorted(state_names.begin(), state_names.end()));
  std::vector<TensorSpec> tensors;
  for (const absl::string_view state : state_names) {
    for (const TensorSpec& tensor : model.tensors()) {
      if (!IsFloatingPoint(tensor.dtype)) continue;
      tensors.push_back({absl::StrCat(state, "/", tensor.name), Dtype::kF64, tensor.shape});
    }
  }
  return Layout::Create(std::move(tensors));
}

}  // namespace entente::optimizer
