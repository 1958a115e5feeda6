// SPDX-License-Identifier: Apache-2.0
#include "worker/policy/daily_hours.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

absl::Time At(int hour, int minute, int second = 0) {
  return absl::FromCivil(absl::CivilSecond(2026, 1, 31, hour, minute, second), absl::UTCTimeZone());
}

TEST(DailyHoursTest, TheFirstTimeIsInAndTheSecondIsOut) {
  ASSERT_OK_AND_ASSIGN(const DailyHours hours, DailyHours::Parse("08:30-17:00"));

  EXPECT_FALSE(hours.Contains(At(8, 29, 59)));
  EXPECT_TRUE(hours.Contains(At(8, 30)));
  EXPECT_TRUE(hours.Contains(At(16, 59, 59)));
  EXPECT_FALSE(hours.Contains(At(17, 0)));
}

TEST(DailyHoursTest, HoursMayGoOverMidnight) {
  ASSERT_OK_AND_ASSIGN(const DailyHours hours, DailyHours::Parse("20:00-06:00"));

  EXPECT_FALSE(hours.Contains(At(19, 59, 59)));
  EXPECT_TRUE(hours.Contains(At(20, 0)));
  EXPECT_TRUE(hours.Contains(At(23, 59, 59)));
  EXPECT_TRUE(hours.Contains(At(0, 0)));
  EXPECT_TRUE(hours.Contains(At(5, 59, 59)));
  EXPECT_FALSE(hours.Contains(At(6, 0)));
  EXPECT_FALSE(hours.Contains(At(12, 0)));
}

TEST(DailyHoursTest, TheWholeDayCanBeWritten) {
  ASSERT_OK_AND_ASSIGN(const DailyHours hours, DailyHours::Parse("00:00-24:00"));

  EXPECT_TRUE(hours.Contains(At(0, 0)));
  EXPECT_TRUE(hours.Contains(At(23, 59, 59)));
}

TEST(DailyHoursTest, WhatIsNotTwoTimesIsRefused) {
  for (const char* text :
       {"", "20:00", "20:00-", "-06:00", "20-06", "20:00-06:60", "24:01-06:00", "8:00-17:00",
        "20:00 - 06:00", "20:00-06:00-08:00", "ab:cd-ef:gh", "-1:00-06:00",
        "20:00\xE2\x80\x93"
        "06:00"}) {
    EXPECT_THAT(DailyHours::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "must be two times of the day in UTC, such as 20:00-06:00"))
        << text;
  }
}

TEST(DailyHoursTest, TwiceTheSameTimeIsRefused) {
  for (const char* text : {"06:00-06:00", "24:00-00:00", "00:00-00:00"}) {
    EXPECT_THAT(DailyHours::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "must have two different times; leave the hours out to train at any time"))
        << text;
  }
}

}  // namespace
}  // namespace entente
