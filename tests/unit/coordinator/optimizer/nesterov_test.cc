// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/nesterov.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::ElementsAre;

TEST(NesterovTest, StepsAreTheFormulas) {
  // m: 4, 2, -7; x moves by 0.5 (d + 0.5 m): 0.5 (4+2)=3, 0.5 (0+1)=0.5, 0.5 (-8-3.5)=-5.75.
  EXPECT_THAT(StepSequence(Nesterov(0.5, 0.5), 1, {4, 0, -8}), ElementsAre(4, 4.5, -1.25));
}

TEST(NesterovTest, WithoutMomentumItIsSgd) {
  EXPECT_THAT(StepSequence(Nesterov(0.5, 0), 10, {1, -2, 0.5}), ElementsAre(10.5, 9.5, 9.75));
}

TEST(NesterovTest, KeepsM) { EXPECT_THAT(Nesterov(0.7, 0.9).StateNames(), ElementsAre("m")); }

}  // namespace
}  // namespace entente::optimizer
