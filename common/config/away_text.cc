// SPDX-License-Identifier: Apache-2.0
#include "common/config/away_text.h"

#include "absl/strings/str_cat.h"
#include "common/config/proto_time.h"

namespace entente {
namespace {

// The years 1 to 9999, as google/protobuf/timestamp.proto has them.
constexpr int64_t kFirstSecond = -62135596800;
constexpr int64_t kLastSecond = 253402300799;

}  // namespace

std::string DayText(absl::Time time) {
  const bool is_whole_minute = absl::ToUnixSeconds(time) % 60 == 0;
  return absl::FormatTime(is_whole_minute ? "%a %d %b %H:%M UTC" : "%a %d %b %H:%M:%S UTC", time,
                          absl::UTCTimeZone());
}

std::string AwayText(const v1::Away& away) {
  return absl::StrCat(
      "away", away.has_until() ? absl::StrCat(" until ", DayText(ToTime(away.until()))) : "",
      away.reason().empty() ? "" : ": ", away.reason());
}

absl::Status CheckAway(const v1::Away& away) {
  const google::protobuf::Timestamp& until = away.until();
  if (until.seconds() >= kFirstSecond && until.seconds() <= kLastSecond && until.nanos() >= 0 &&
      until.nanos() < 1'000'000'000) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a worker is away until a time that no calendar has");
}

}  // namespace entente
