// SPDX-License-Identifier: Apache-2.0
#include "common/config/quoted.h"

#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/utf8.h"

namespace entente {
namespace {

constexpr size_t kQuotedBytesMax = 60;

}  // namespace

std::string Quoted(absl::string_view text) {
  const absl::string_view shown = ClipUtf8(text, kQuotedBytesMax);
  return absl::StrCat("\"", absl::Utf8SafeCEscape(ToValidUtf8(shown)),
                      shown.size() < text.size() ? "..." : "", "\"");
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

}  // namespace entente
