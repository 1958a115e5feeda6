// SPDX-License-Identifier: Apache-2.0
#include "worker/session/token_bucket.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"

namespace entente::worker {
namespace {

TEST(TokenBucketTest, ASecondsWorthPassesAtOnceAndTheRestWaits) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1000);

  EXPECT_EQ(bucket.Take(1000), absl::ZeroDuration());
  EXPECT_EQ(bucket.Take(500), absl::Milliseconds(500));
  EXPECT_EQ(bucket.Take(500), absl::Seconds(1));
}

TEST(TokenBucketTest, TheRateHoldsOverTime) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1000);
  const absl::Time start = clock.Now();
  for (int i = 0; i < 100; ++i) clock.Advance(bucket.Take(300));

  EXPECT_EQ(clock.Now() - start, absl::Seconds(29));  // The first second's worth was there.
}

TEST(TokenBucketTest, AChunkLargerThanTheBucketWaitsItsTime) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1000);

  EXPECT_EQ(bucket.Take(5000), absl::Seconds(4));
  clock.Advance(absl::Seconds(4));
  EXPECT_EQ(bucket.Take(1000), absl::Seconds(1));
}

TEST(TokenBucketTest, IdleTimeFillsNoMoreThanTheBucket) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1000);
  bucket.Take(1000);

  clock.Advance(absl::Hours(1));

  EXPECT_EQ(bucket.Take(1500), absl::Milliseconds(500));
}

TEST(TokenBucketTest, AClockPutBackBringsNothingAndCostsNothing) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1000);
  bucket.Take(1000);

  clock.Advance(-absl::Hours(1));
  EXPECT_EQ(bucket.Take(500), absl::Milliseconds(500));
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(bucket.Take(500), absl::ZeroDuration());
}

TEST(TokenBucketTest, NoRateIsNoLimit) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 0);

  EXPECT_EQ(bucket.Take(~uint64_t{0}), absl::ZeroDuration());
  EXPECT_EQ(bucket.StepBytes(4096), 4096u);
}

TEST(TokenBucketTest, AStepIsASecondsWorthAtMost) {
  SimulatedClock clock;

  EXPECT_EQ(TokenBucket(&clock, 1000).StepBytes(4096), 1000u);
  EXPECT_EQ(TokenBucket(&clock, 10'000).StepBytes(4096), 4096u);
}

TEST(TokenBucketTest, CancellingEndsTheWait) {
  SimulatedClock clock;
  TokenBucket bucket(&clock, 1);
  CancelToken cancel;
  cancel.Cancel("the round closed");

  bucket.WaitFor(uint64_t{1} << 40, cancel);  // Or this test would not end.
}

}  // namespace
}  // namespace entente::worker
