// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/block_plan.h"

#include <gtest/gtest.h>

namespace entente::aggregation {
namespace {

TEST(BlockPlanTest, EveryElementIsInExactlyOneBlockInOrder) {
  const Layout model = *Layout::Create({{"a", Dtype::kF32, {10}},
                                        {"b", Dtype::kI64, {3}},
                                        {"c", Dtype::kF32, {0, 7}},
                                        {"d", Dtype::kF32, {2, 4}},
                                        {"e", Dtype::kF32, {}}});
  for (const size_t elements_max : {1, 3, 4, 10, 1000}) {
    size_t tensor = 0;
    uint64_t next = 0;
    uint64_t elements = 0;
    for (const Block& block : PlanBlocks(model, elements_max)) {
      if (block.tensor != tensor) next = 0;
      tensor = block.tensor;
      EXPECT_EQ(block.first, next);
      EXPECT_GE(block.size, 1u);
      EXPECT_LE(block.size, elements_max);
      next += block.size;
      elements += block.size;
      EXPECT_LE(next, model.tensors()[tensor].ElementCount());
    }
    EXPECT_EQ(elements, 10u + 3 + 8 + 1) << elements_max;
  }
}

TEST(BlockPlanTest, FloatingPointTensorsAreCountedApart) {
  const Layout model = *Layout::Create({{"a", Dtype::kI64, {1}},
                                        {"b", Dtype::kF32, {0}},
                                        {"c", Dtype::kI8, {1}},
                                        {"d", Dtype::kF32, {1}}});

  const std::vector<Block> blocks = PlanBlocks(model, 8);

  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_FALSE(blocks[0].is_floating_point);
  EXPECT_FALSE(blocks[1].is_floating_point);
  EXPECT_TRUE(blocks[2].is_floating_point);
  EXPECT_EQ(blocks[2].tensor, 3u);
  EXPECT_EQ(blocks[2].float_tensor, 1u);
}

TEST(BlockPlanTest, ModelWithoutElementsHasNoBlocks) {
  EXPECT_TRUE(PlanBlocks(Layout(), 8).empty());
}

}  // namespace
}  // namespace entente::aggregation
