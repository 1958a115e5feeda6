// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/sgd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SgdTest, RateOfOneAddsTheUpdate) {
  EXPECT_THAT(StepSequence(Sgd(1), 10, {1, -2, 0.5}), ElementsAre(11, 9, 9.5));
}

TEST(SgdTest, RateScalesTheUpdate) {
  EXPECT_THAT(StepSequence(Sgd(0.5), 10, {1, -2, 0.5}), ElementsAre(10.5, 9.5, 9.75));
}

TEST(SgdTest, HasNoState) { EXPECT_THAT(Sgd(1).StateNames(), IsEmpty()); }

}  // namespace
}  // namespace entente::optimizer
