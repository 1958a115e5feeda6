// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/state_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente::optimizer {
namespace {

TEST(StateLayoutTest, EveryStateHasTheFloatingPointTensorsInF64) {
  const Layout model = *Layout::Create(
      {{"w", Dtype::kF32, {2, 3}}, {"b", Dtype::kF32, {3}}, {"count", Dtype::kI64, {}}});

  ASSERT_OK_AND_ASSIGN(const Layout state, StateLayout(model, {"m", "v"}));

  EXPECT_EQ(state, *Layout::Create({{"m/b", Dtype::kF64, {3}},
                                    {"m/w", Dtype::kF64, {2, 3}},
                                    {"v/b", Dtype::kF64, {3}},
                                    {"v/w", Dtype::kF64, {2, 3}}}));
  EXPECT_EQ(state.tensors()[2].name, "v/b");
}

TEST(StateLayoutTest, WithoutStateThereIsNothing) {
  ASSERT_OK_AND_ASSIGN(const Layout state,
                       StateLayout(*Layout::Create({{"w", Dtype::kF32, {1}}}), {}));
  EXPECT_TRUE(state.tensors().empty());
}

TEST(StateLayoutTest, NameWithoutRoomForThePrefixIsRefused) {
  const std::string name(limits::kTensorNameBytesMax - 1, 'x');
  EXPECT_THAT(StateLayout(*Layout::Create({{name, Dtype::kF32, {1}}}), {"m"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::optimizer
