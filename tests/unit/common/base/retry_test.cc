// SPDX-License-Identifier: Apache-2.0
#include "common/base/retry.h"

#include <gtest/gtest.h>

#include <limits>

namespace entente {
namespace {

// Always the same bits.
class ConstantRandomSource final : public RandomSource {
 public:
  explicit ConstantRandomSource(uint64_t bits) : bits_(bits) {}
  uint64_t Next() override { return bits_; }

 private:
  const uint64_t bits_;
};

TEST(BackoffTest, ShortestWaitsAreHalfOfADoublingCeiling) {
  ConstantRandomSource lowest(0);
  Backoff backoff(absl::Seconds(1), absl::Seconds(30), &lowest);

  EXPECT_EQ(backoff.Next(), absl::Milliseconds(500));
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
}

TEST(BackoffTest, WaitsStayUnderTheMaximumForEver) {
  ConstantRandomSource highest(std::numeric_limits<uint64_t>::max());
  Backoff backoff(absl::Seconds(1), absl::Seconds(30), &highest);
  absl::Duration last;

  for (int i = 0; i < 1000; ++i) {
    last = backoff.Next();
    ASSERT_LE(last, absl::Seconds(30));
  }

  EXPECT_GT(last, absl::Seconds(29));
}

TEST(BackoffTest, WaitIsShortAgainAfterAReset) {
  ConstantRandomSource lowest(0);
  Backoff backoff(absl::Seconds(1), absl::Seconds(30), &lowest);
  for (int i = 0; i < 10; ++i) backoff.Next();

  backoff.Reset();

  EXPECT_EQ(backoff.Next(), absl::Milliseconds(500));
}

TEST(BackoffTest, WaitsAreSpreadOverTheUpperHalf) {
  SystemRandomSource random;
  int above_the_middle = 0;

  for (int i = 0; i < 1000; ++i) {
    Backoff backoff(absl::Seconds(1), absl::Seconds(1), &random);
    const absl::Duration wait = backoff.Next();
    ASSERT_GE(wait, absl::Milliseconds(500));
    ASSERT_LE(wait, absl::Seconds(1));
    if (wait > absl::Milliseconds(750)) ++above_the_middle;
  }

  // 12 standard deviations on either side of one half.
  EXPECT_GT(above_the_middle, 300);
  EXPECT_LT(above_the_middle, 700);
}

}  // namespace
}  // namespace entente
