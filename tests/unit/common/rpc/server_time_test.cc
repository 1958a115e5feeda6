// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/server_time.h"

#include <gtest/gtest.h>

namespace entente {
namespace {

TEST(ServerTimeTest, GoesThereAndBackToTheMillisecond) {
  const absl::Time time = absl::FromUnixMillis(1'772'366'441'123);

  EXPECT_EQ(FormatServerTime(time), "2026-03-01T12:00:41.123Z");
  EXPECT_EQ(ParseServerTime(FormatServerTime(time)), time);
}

TEST(ServerTimeTest, WhatIsNoTimeIsNone) {
  EXPECT_EQ(ParseServerTime(""), std::nullopt);
  EXPECT_EQ(ParseServerTime("infinite-future"), std::nullopt);
  EXPECT_EQ(ParseServerTime("2026-13-01T12:00:41Z"), std::nullopt);
}

}  // namespace
}  // namespace entente
