// SPDX-License-Identifier: Apache-2.0
#include "worker/policy/daily_hours.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace entente {
namespace {

constexpr int kMinutesPerDay = 24 * 60;

std::optional<int> MinuteOfDay(absl::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const size_t i : {0, 1, 3, 4}) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const int minute_of_day = hour * 60 + minute;
  if (minute > 59 || minute_of_day > kMinutesPerDay) return std::nullopt;
  return minute_of_day;
}

}  // namespace

absl::StatusOr<DailyHours> DailyHours::Parse(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '-');
  const auto from = MinuteOfDay(parts.front());
  const auto until = MinuteOfDay(parts.back());
  if (parts.size() != 2 || !from.has_value() || !until.has_value()) {
    return absl::InvalidArgumentError("must be two times of the day in UTC, such as 20:00-06:00");
  }
  if (*from % kMinutesPerDay == *until % kMinutesPerDay && *until - *from != kMinutesPerDay) {
    return absl::InvalidArgumentError(
        "must have two different times; leave the hours out to train at any time");
  }
  return DailyHours(*from, *until);
}

bool DailyHours::Contains(absl::Time time) const {
  const absl::CivilMinute civil = absl::ToCivilMinute(time, absl::UTCTimeZone());
  const int minute = civil.hour() * 60 + civil.minute();
  if (from_minute_ < until_minute_) return minute >= from_minute_ && minute < until_minute_;
  return minute >= from_minute_ || minute < until_minute_;
}

}  // namespace entente
