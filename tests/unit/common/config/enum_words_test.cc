// SPDX-License-Identifier: Apache-2.0
#include "common/config/enum_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "entente/v1/job.pb.h"
#include "entente/v1/recipe.pb.h"

namespace entente {
namespace {

using ::testing::ElementsAre;

TEST(EnumWordsTest, LeavesOutThePrefixThatTheTypesValuesShare) {
  EXPECT_EQ(EnumWord(*v1::JobState_descriptor()->FindValueByNumber(v1::JOB_STATE_RUNNING)),
            "running");
  EXPECT_EQ(EnumWord(*v1::LearningTask_descriptor()->FindValueByNumber(v1::TASK_REGRESSION)),
            "regression");
  EXPECT_EQ(EnumWord(*v1::Aggregation::Method_descriptor()->FindValueByNumber(
                v1::Aggregation::METHOD_WEIGHTED_MEAN)),
            "weighted_mean");
}

TEST(EnumWordsTest, TheUnsetValueCannotBeWritten) {
  EXPECT_THAT(EnumWords(*v1::Updates::Encoding_descriptor()),
              ElementsAre("fp32", "bf16", "fp16", "int8", "int4", "topk"));
  EXPECT_EQ(FindEnumValue(*v1::Updates::Encoding_descriptor(), "unspecified"), nullptr);
}

TEST(EnumWordsTest, FindsAValueByItsExactWord) {
  const auto* value = FindEnumValue(*v1::Updates::Encoding_descriptor(), "bf16");

  ASSERT_NE(value, nullptr);
  EXPECT_EQ(value->number(), v1::Updates::ENCODING_BF16);
  EXPECT_EQ(FindEnumValue(*v1::Updates::Encoding_descriptor(), "BF16"), nullptr);
}

}  // namespace
}  // namespace entente
