// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_AGGREGATION_BLOCK_PLAN_H_
#define COORDINATOR_AGGREGATION_BLOCK_PLAN_H_

// Cuts a model into blocks that can be worked on one by one, in any order. A block lies within one
// tensor.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/tensor/layout.h"

namespace entente::aggregation {

struct Block {
  size_t tensor = 0;  // Its place in the model's layout.
  // Its place among the floating-point tensors: in an update, and in one state of the optimizer.
  // Not used if the tensor is none of them.
  size_t float_tensor = 0;
  bool is_floating_point = false;
  uint64_t first = 0;  // Elements before it in the tensor.
  size_t size = 0;     // Elements; at least 1.
};

// Every element of `model` in exactly one block of at most `elements_max`.
std::vector<Block> PlanBlocks(const Layout& model, size_t elements_max);

}  // namespace entente::aggregation

#endif  // COORDINATOR_AGGREGATION_BLOCK_PLAN_H_
