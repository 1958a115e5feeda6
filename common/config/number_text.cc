// SPDX-License-Identifier: Apache-2.0
#include "common/config/number_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/config/quoted.h"

namespace entente {
namespace {

constexpr size_t kDigitsMax = 30;  // Over any 64-bit number's, under any absl::int128's.

struct ByteUnit {
  absl::string_view name;
  int shift;
};
constexpr ByteUnit kByteUnits[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

absl::StatusOr<absl::int128> ParseWholeNumber(absl::string_view text, absl::int128 min,
                                              absl::int128 max) {
  absl::string_view digits = text;
  const bool negative = absl::ConsumePrefix(&digits, "-");
  if (!AllDigits(digits)) return absl::InvalidArgumentError("must be a whole number, such as 12");
  if (digits.size() > 1 && digits[0] == '0') {
    return absl::InvalidArgumentError("must be written without a leading zero");
  }
  absl::int128 value = 0;
  const bool fits = digits.size() <= kDigitsMax && absl::SimpleAtoi(digits, &value);
  if (negative) value = -value;
  if (!fits || value < min || value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be ", WithCommas(min), " to ", WithCommas(max)));
  }
  return value;
}

absl::StatusOr<absl::int128> ParseByteCount(absl::string_view text, absl::int128 max) {
  for (const ByteUnit& unit : kByteUnits) {
    absl::string_view number = text;
    if (!absl::ConsumeSuffix(&number, unit.name)) continue;
    number = absl::StripTrailingAsciiWhitespace(number);
    if (!AllDigits(number)) break;
    ENTENTE_ASSIGN_OR_RETURN(const absl::int128 count,
                             ParseWholeNumber(number, 0, max >> unit.shift));
    return count << unit.shift;
  }
  if (!AllDigits(text)) {
    return absl::InvalidArgumentError(
        "must be a whole number of bytes, or of KiB, MiB, GiB or TiB, such as 20 GiB");
  }
  return ParseWholeNumber(text, 0, max);
}

absl::StatusOr<double> ParseNumber(absl::string_view text) {
  // SimpleAtod also knows "inf", "nan", hexadecimal and blanks around.
  const bool plain = !text.empty() && text.find_first_not_of("0123456789+-.eE") == text.npos;
  double value = 0;
  if (!plain || !absl::SimpleAtod(text, &value)) {
    return absl::InvalidArgumentError("must be a number, such as 0.01");
  }
  if (!std::isfinite(value)) return absl::InvalidArgumentError("must be a smaller number");
  return value;
}

}  // namespace entente
