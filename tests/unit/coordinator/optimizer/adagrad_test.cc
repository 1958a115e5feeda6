// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/adagrad.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::ElementsAre;

TEST(AdagradTest, StepsAreTheFormulas) {
  // v: 9, 9+16=25, 25+144=169: roots 3, 5, 13. tau 1 makes the divisors 4, 6, 14.
  EXPECT_THAT(StepSequence(Adagrad(2, 0, 1), 0, {3, -4, 12}),
              ElementsAre(1.5, 1.5 - 8.0 / 6, 1.5 - 8.0 / 6 + 24.0 / 14));
}

TEST(AdagradTest, MomentumAveragesTheNumerator) {
  // m: 0.5*3=1.5, 0.5*1.5-0.5*4=-1.25.
  EXPECT_THAT(StepSequence(Adagrad(2, 0.5, 1), 0, {3, -4}), ElementsAre(0.75, 0.75 - 2.5 / 6));
}

TEST(AdagradTest, FirstMomentIsKeptOnlyWhenItIsNeeded) {
  EXPECT_THAT(Adagrad(0.01, 0, 1e-3).StateNames(), ElementsAre("v"));
  EXPECT_THAT(Adagrad(0.01, 0.9, 1e-3).StateNames(), ElementsAre("m", "v"));
}

}  // namespace
}  // namespace entente::optimizer
