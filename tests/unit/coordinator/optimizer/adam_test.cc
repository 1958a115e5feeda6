// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/adam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(AdamTest, StepsAreTheFormulas) {
  // b1 = 0.5, b2 = 0.75, tau = 1, lr = 2.
  // d = 4: m = 2, v = 0.25*16 = 4, x = 2*2/(2+1) = 4/3.
  // d = 0: m = 1, v = 3, x += 2/(sqrt 3 + 1).
  // d = -2: m = 0.5 - 1 = -0.5, v = 2.25 + 1 = 3.25, x -= 1/(sqrt 3.25 + 1).
  const double second = 4.0 / 3 + 2 / (std::sqrt(3.0) + 1);
  EXPECT_THAT(StepSequence(Adam(2, 0.5, 0.75, 1), 0, {4, 0, -2}),
              ElementsAre(DoubleEq(4.0 / 3), DoubleEq(second),
                          DoubleEq(second - 1 / (std::sqrt(3.25) + 1))));
}

TEST(AdamTest, FirstStepIsNotBiasCorrected) {
  // With correction the first step would be lr d / (|d| + tau), ten times as large.
  EXPECT_THAT(StepSequence(Adam(1, 0.9, 0.99, 1e-9), 0, {1}),
              ElementsAre(testing::DoubleNear(1, 1e-7)));
  EXPECT_THAT(StepSequence(Adam(1, 0.99, 0.99, 1e-9), 0, {1}),
              ElementsAre(testing::DoubleNear(0.1, 1e-7)));
}

TEST(AdamTest, NoUpdateAtAllMovesNothing) {
  EXPECT_THAT(StepSequence(Adam(1, 0.9, 0.99, 1e-3), 5, {0, 0}), ElementsAre(5, 5));
}

TEST(AdamTest, KeepsBothMoments) {
  EXPECT_THAT(Adam(0.01, 0.9, 0.99, 1e-3).StateNames(), ElementsAre("m", "v"));
}

}  // namespace
}  // namespace entente::optimizer
