// SPDX-License-Identifier: Apache-2.0
#include "common/config/duration_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace entente {
namespace {

struct Unit {
  absl::string_view name;
  absl::Duration size;
};

// Largest first, as DurationText needs them.
constexpr Unit kUnits[] = {{"d", absl::Hours(24)},        {"h", absl::Hours(1)},
                           {"m", absl::Minutes(1)},       {"s", absl::Seconds(1)},
                           {"ms", absl::Milliseconds(1)}, {"us", absl::Microseconds(1)},
                           {"ns", absl::Nanoseconds(1)}};

// google.protobuf.Duration's own limit, and far over any of ours.
constexpr absl::Duration kDurationMax = absl::Seconds(315'576'000'000);

constexpr size_t kTextBytesMax = 64;

absl::Status NotADuration() {
  return absl::InvalidArgumentError(
      "must be a number with a unit (ms, s, m, h or d), such as 90s or 1h30m");
}

// Takes one number and unit off the front of `text`.
absl::StatusOr<absl::Duration> TakePart(absl::string_view* text) {
  size_t digits = 0;
  while (digits < text->size() &&
         (absl::ascii_isdigit((*text)[digits]) || (*text)[digits] == '.')) {
    ++digits;
  }
  size_t end = digits;
  while (end < text->size() && absl::ascii_isalpha((*text)[end])) ++end;
  const absl::string_view number = text->substr(0, digits);
  const absl::string_view unit_name = text->substr(digits, end - digits);
  text->remove_prefix(end);
  for (const Unit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    // absl reads the number exactly, but has no days.
    const bool is_days = unit_name == "d";
    absl::Duration part;
    if (!absl::ParseDuration(absl::StrCat(number, is_days ? "h" : unit_name), &part)) {
      return NotADuration();
    }
    return is_days ? part * 24 : part;
  }
  return NotADuration();
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDurationText(absl::string_view text) {
  if (text.empty() || text.size() > kTextBytesMax) return NotADuration();
  absl::Duration sum;
  while (!text.empty()) {
    const absl::StatusOr<absl::Duration> part = TakePart(&text);
    if (!part.ok()) return part.status();
    sum += *part;
  }
  if (sum > kDurationMax) return absl::InvalidArgumentError("must be at most 10,000 years");
  return sum;
}

std::string DurationText(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "inf";
  if (duration == -absl::InfiniteDuration()) return "-inf";
  if (duration < absl::ZeroDuration()) return absl::StrCat("-", DurationText(-duration));
  std::string text;
  for (const Unit& unit : kUnits) {
    const int64_t count = absl::IDivDuration(duration, unit.size, &duration);
    if (count > 0) absl::StrAppend(&text, count, unit.name);
  }
  return text.empty() ? "0s" : text;
}

}  // namespace entente
