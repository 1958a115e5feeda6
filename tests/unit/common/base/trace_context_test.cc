// SPDX-License-Identifier: Apache-2.0
#include "common/base/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class ZeroRandom final : public RandomSource {
 public:
  uint64_t Next() override { return 0; }
};

TEST(TraceContextTest, TheStandardsExampleIsReadAndWritten) {
  const auto trace = TraceContext::Parse(kExample);

  ASSERT_THAT(trace, IsOk());
  EXPECT_EQ(trace->trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->parent_id(), "00f067aa0ba902b7");
  EXPECT_TRUE(trace->sampled());
  EXPECT_EQ(trace->ToTraceparent(), kExample);
}

TEST(TraceContextTest, OfALaterVersionTheKnownPartIsRead) {
  const auto trace = TraceContext::Parse(
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds");

  ASSERT_THAT(trace, IsOk());
  EXPECT_EQ(trace->ToTraceparent(), kExample);
}

TEST(TraceContextTest, FlagsWithoutAMeaningAreNotHandedOn) {
  const auto trace = TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe");

  ASSERT_THAT(trace, IsOk());
  EXPECT_FALSE(trace->sampled());
  EXPECT_EQ(trace->ToTraceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
}

TEST(TraceContextTest, WhatIsMalformedIsRefusedWithTheReason) {
  const struct {
    std::string text;
    std::string reason;
  } cases[] = {
      {"", "is too short"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", "is too short"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", "is too long"},
      {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", "is too long"},
      {"00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "other characters"},
      {"00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01", "other characters"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01", "other characters"},
      {"0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "other characters"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", "other characters"},
      {"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "version-trace-parent-flags"},
      {"00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01", "version-trace-parent-flags"},
      {"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "version ff"},
      {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "trace id of zeros"},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "parent id of zeros"},
      {std::string(kExample) + std::string(300, '-'), "more than 256 bytes"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_THAT(TraceContext::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)))
        << text;
  }
}

TEST(TraceContextTest, AFreshOneIsValidWhateverChanceSays) {
  ZeroRandom zeros;
  SystemRandomSource random;

  EXPECT_THAT(TraceContext::Parse(TraceContext::Fresh(zeros).ToTraceparent()), IsOk());
  EXPECT_THAT(TraceContext::Parse(TraceContext::Fresh(random).ToTraceparent()), IsOk());
  EXPECT_NE(TraceContext::Fresh(random).trace_id(), TraceContext::Fresh(random).trace_id());
}

TEST(TraceContextTest, AChildHasTheTraceAndAParentOfItsOwn) {
  const TraceContext parent = *TraceContext::Parse(kExample);

  const TraceContext child = parent.Child("round 1 of fr-lab/w");

  EXPECT_EQ(child.trace_id(), parent.trace_id());
  EXPECT_EQ(child.sampled(), parent.sampled());
  EXPECT_NE(child.parent_id(), parent.parent_id());
  EXPECT_NE(child.parent_id(), parent.Child("round 2 of fr-lab/w").parent_id());
  EXPECT_EQ(child.ToTraceparent(), parent.Child("round 1 of fr-lab/w").ToTraceparent());
  EXPECT_THAT(TraceContext::Parse(child.ToTraceparent()), IsOk());
}

TEST(TraceContextTest, WithoutAValidOneItIsTheNames) {
  const TraceContext named = TraceOf("", "fashion-mnist-k3x9qa");

  EXPECT_THAT(TraceContext::Parse(named.ToTraceparent()), IsOk());
  EXPECT_EQ(TraceOf("rubbish\n", "fashion-mnist-k3x9qa").ToTraceparent(), named.ToTraceparent());
  EXPECT_NE(TraceOf("", "another-job").trace_id(), named.trace_id());
  EXPECT_EQ(TraceOf(kExample, "fashion-mnist-k3x9qa").ToTraceparent(), kExample);
}

}  // namespace
}  // namespace entente
