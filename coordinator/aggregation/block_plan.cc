// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/block_plan.h"

#include <algorithm>

#include "common/base/check.h"

namespace entente::aggregation {

std::vector<Block> PlanBlocks(const Layout& model, size_t elements_max) {
  ENTENTE_CHECK(elements_max > 0);
  std::vector<Block> blocks;
  size_t float_tensor = 0;
  for (size_t tensor = 0; tensor < model.tensors().size(); ++tensor) {
    const TensorSpec& spec = model.tensors()[tensor];
    const bool is_floating_point = IsFloatingPoint(spec.dtype);
    const uint64_t count = spec.ElementCount();
    for (uint64_t first = 0; first < count; first += elements_max) {
      blocks.push_back({.tensor = tensor,
                        .float_tensor = float_tensor,
                        .is_floating_point = is_floating_point,
                        .first = first,
                        .size = std::min<uint64_t>(elements_max, count - first)});
    }
    if (is_floating_point) ++float_tensor;
  }
  return blocks;
}

}  // namespace entente::aggregation
