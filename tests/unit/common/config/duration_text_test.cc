// SPDX-License-Identifier: Apache-2.0
#include "common/config/duration_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

TEST(DurationTextTest, ReadsEveryUnit) {
  const std::pair<const char*, absl::Duration> cases[] = {
      {"500ms", absl::Milliseconds(500)},
      {"90s", absl::Seconds(90)},
      {"10m", absl::Minutes(10)},
      {"2h", absl::Hours(2)},
      {"3d", absl::Hours(72)},
      {"1h30m", absl::Minutes(90)},
      {"1.5d", absl::Hours(36)},
      {"0s", absl::ZeroDuration()},
      {"7us", absl::Microseconds(7)},
      {"7ns", absl::Nanoseconds(7)},
  };
  for (const auto& [text, duration] : cases) {
    ASSERT_OK_AND_ASSIGN(const absl::Duration read, ParseDurationText(text));
    EXPECT_EQ(read, duration) << text;
  }
}

TEST(DurationTextTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "10", "m", "10 m", "-5s", "inf", "5M", "1h,", "five", "1..5s", ".s",
                           "1e3s", "0x5s", "5weeks"}) {
    EXPECT_THAT(ParseDurationText(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "must be a number with a unit (ms, s, m, h or d), such as 90s or 1h30m"))
        << text;
  }
}

TEST(DurationTextTest, RefusesMoreThanTenThousandYears) {
  EXPECT_THAT(ParseDurationText("4000000d"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("10,000 years")));
  EXPECT_THAT(ParseDurationText("99999999999999999999d"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DurationTextTest, WritesWhatItReads) {
  for (const char* text : {"0s", "500ms", "1m30s", "10m", "1d2h", "3d", "1s1ms1us1ns"}) {
    ASSERT_OK_AND_ASSIGN(const absl::Duration duration, ParseDurationText(text));
    EXPECT_EQ(DurationText(duration), text);
  }
}

TEST(DurationTextTest, WritesWhatNobodyCouldHaveRead) {
  EXPECT_EQ(DurationText(-absl::Seconds(5)), "-5s");
  EXPECT_EQ(DurationText(absl::InfiniteDuration()), "inf");
  EXPECT_EQ(DurationText(-absl::InfiniteDuration()), "-inf");
}

}  // namespace
}  // namespace entente
