// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/yogi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(YogiTest, StepsAreTheFormulas) {
  // b1 = 0.5, b2 = 0.75, tau = 1, lr = 2.
  // d = 4: m = 2, v = 0 + 0.25*16 = 4 (v was under d^2), x = 4/(2+1).
  // d = 1: m = 1.5, v = 4 - 0.25*1 = 3.75 (v was over d^2), x += 3/(sqrt 3.75 + 1).
  // d = -2: m = -0.25, v = 3.75 + 0.25*4 = 4.75 (under), x -= 0.5/(sqrt 4.75 + 1).
  const double first = 4.0 / 3;
  const double second = first + 3 / (std::sqrt(3.75) + 1);
  EXPECT_THAT(StepSequence(Yogi(2, 0.5, 0.75, 1), 0, {4, 1, -2}),
              ElementsAre(DoubleEq(first), DoubleEq(second),
                          DoubleEq(second - 0.5 / (std::sqrt(4.75) + 1))));
}

TEST(YogiTest, SecondMomentStaysWhenItIsTheSquareAlready) {
  // v = 0.25*4 = 1, and then d^2 = 1: sign(0) is 0.
  const double first = 1.0 / 2;
  EXPECT_THAT(StepSequence(Yogi(1, 0.5, 0.75, 1), 0, {2, 1}),
              ElementsAre(DoubleEq(first), DoubleEq(first + 1.0 / 2)));
}

TEST(YogiTest, KeepsBothMoments) {
  EXPECT_THAT(Yogi(0.01, 0.9, 0.99, 1e-3).StateNames(), ElementsAre("m", "v"));
}

}  // namespace
}  // namespace entente::optimizer
