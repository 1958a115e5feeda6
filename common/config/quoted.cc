// SPDX-License-Identifier: Apache-2.0
#include "common/config/quoted.h"

#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace entente {
namespace {

constexpr size_t kQuotedBytesMax = 60;

}  // namespace

std::string Quoted(absl::string_view text) {
  const absl::string_view shown = ClipUtf8(text, kQuotedBytesMax);
  return absl::StrCat("\"", absl::Utf8SafeCEscape(shown), shown.size() < text.size() ? "..." : "",
                      "\"");
}

std::string WithCommas(absl::int128 value) {
  std::ostringstream digits;
  digits << value;
  std::string text = digits.str();
  const size_t first_digit = value < 0 ? 1 : 0;
  for (size_t at = text.size(); at > first_digit + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

absl::string_view ClipUtf8(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace entente
