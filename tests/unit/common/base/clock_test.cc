// SPDX-License-Identifier: Apache-2.0
#include "common/base/clock.h"

#include <gtest/gtest.h>

namespace entente {
namespace {

TEST(SystemClockTest, TimeIsPlausibleAndMovesForward) {
  const SystemClock clock;

  const absl::Time first = clock.Now();
  const absl::Time second = clock.Now();

  EXPECT_GT(first, absl::FromUnixSeconds(1'600'000'000));
  EXPECT_LE(first, second);
}

TEST(SteadyClockTest, TimePassesAndIsNotTheCalendars) {
  const SteadyClock clock;

  const absl::Time first = clock.Now();
  const absl::Time second = clock.Now();

  EXPECT_LE(first, second);
  EXPECT_GT(first, absl::UnixEpoch());
  EXPECT_LT(first, absl::FromUnixSeconds(1'600'000'000)) << "no machine runs for fifty years";
}

}  // namespace
}  // namespace entente
