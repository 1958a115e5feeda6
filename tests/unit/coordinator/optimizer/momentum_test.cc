// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/momentum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::ElementsAre;

TEST(MomentumTest, StepsAreTheFormulas) {
  // m: 4, 0.5*4+0=2, 0.5*2-8=-7, 0.5*-7+1=-2.5; x moves by 0.25 m.
  EXPECT_THAT(StepSequence(Momentum(0.25, 0.5), 1, {4, 0, -8, 1}),
              ElementsAre(2, 2.5, 0.75, 0.125));
}

TEST(MomentumTest, WithoutMomentumItIsSgd) {
  EXPECT_THAT(StepSequence(Momentum(0.5, 0), 10, {1, -2, 0.5}), ElementsAre(10.5, 9.5, 9.75));
}

TEST(MomentumTest, KeepsM) { EXPECT_THAT(Momentum(1, 0.9).StateNames(), ElementsAre("m")); }

}  // namespace
}  // namespace entente::optimizer
