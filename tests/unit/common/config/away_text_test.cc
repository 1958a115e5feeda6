// SPDX-License-Identifier: Apache-2.0
#include "common/config/away_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

v1::Away AwayUntil(absl::Time until, const std::string& reason) {
  v1::Away away;
  *away.mutable_until() = ToProto(until);
  away.set_reason(reason);
  return away;
}

TEST(AwayTextTest, SaysUntilWhenAndWhy) {
  const absl::Time monday =
      absl::FromCivil(absl::CivilMinute(2026, 11, 30, 8, 0), absl::UTCTimeZone());

  EXPECT_EQ(AwayText(AwayUntil(monday, "the GPU is lent")),
            "away until Mon 30 Nov 08:00 UTC: the GPU is lent");
  EXPECT_EQ(AwayText(AwayUntil(monday, "")), "away until Mon 30 Nov 08:00 UTC");
}

TEST(AwayTextTest, SecondsAreSaidWhereThereAreAny) {
  const absl::Time morning =
      absl::FromCivil(absl::CivilSecond(2026, 11, 30, 8, 0, 5), absl::UTCTimeZone());

  EXPECT_EQ(DayText(morning), "Mon 30 Nov 08:00:05 UTC");
  EXPECT_EQ(DayText(morning - absl::Milliseconds(4'500)), "Mon 30 Nov 08:00 UTC");
}

TEST(AwayTextTest, WithoutTimeItSaysOnlyWhy) {
  v1::Away away;
  EXPECT_EQ(AwayText(away), "away");
  away.set_reason("maintenance");
  EXPECT_EQ(AwayText(away), "away: maintenance");
}

TEST(AwayTextTest, TimeThatNoCalendarHasIsRefused) {
  v1::Away away = AwayUntil(absl::UnixEpoch(), "");
  EXPECT_TRUE(CheckAway(away).ok());
  EXPECT_TRUE(CheckAway(v1::Away()).ok());

  away.mutable_until()->set_seconds(int64_t{1} << 60);
  EXPECT_THAT(CheckAway(away).message(), HasSubstr("no calendar"));
  away.mutable_until()->set_seconds(0);
  away.mutable_until()->set_nanos(-1);
  EXPECT_THAT(CheckAway(away).message(), HasSubstr("no calendar"));
}

}  // namespace
}  // namespace entente
