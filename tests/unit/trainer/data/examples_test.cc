// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ExamplesTest, OnesInFrontAndFlatRowsFit) {
  Examples examples{.count = 0, .shape = {28, 28}, .inputs = {}, .classes = {}, .values = {}};

  EXPECT_THAT(FitShape({1, 28, 28}, "data", examples), IsOk());
  EXPECT_THAT(examples.shape, ElementsAre(1, 28, 28));
  EXPECT_THAT(FitShape({784}, "data", examples), IsOk());
  EXPECT_THAT(examples.shape, ElementsAre(784));
}

TEST(ExamplesTest, AnotherShapeIsRefusedWithBoth) {
  Examples examples{.count = 0, .shape = {1, 32, 32}, .inputs = {}, .classes = {}, .values = {}};

  EXPECT_THAT(
      FitShape({1, 28, 28}, "data", examples),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          HasSubstr("data: examples have shape [1,32,32], the recipe's inputShape is [1,28,28]")));
  EXPECT_THAT(FitShape({1, 16, 64}, "data", examples),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ExamplesTest, LabelsMustBeUnderTheOutputs) {
  Examples examples{
      .count = 3, .shape = {1}, .inputs = {0, 0, 0}, .classes = {0, 9, 10}, .values = {}};

  EXPECT_THAT(CheckTargets(examples, 11, "data"), IsOk());
  EXPECT_THAT(CheckTargets(examples, 10, "data"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a label is not one of the model's 10 outputs (labels 0 to 9)")));
  examples.classes[0] = -1;
  EXPECT_THAT(CheckTargets(examples, 11, "data"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ExamplesTest, ValuesMustBeAsManyAsOutputs) {
  const Examples examples{
      .count = 1, .shape = {1}, .inputs = {0}, .classes = {}, .values = {1, 2}, .value_count = 2};

  EXPECT_THAT(CheckTargets(examples, 2, "data"), IsOk());
  EXPECT_THAT(CheckTargets(examples, 1, "data"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                          HasSubstr("2 target values an example")));
}

}  // namespace
}  // namespace entente::trainer
