// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/golden_files.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/check.h"
#include "common/base/file_system.h"

namespace entente {

std::string GoldenText(absl::string_view name) {
  PosixFileSystem files;
  const auto text =
      ReadTextFile(files, absl::StrCat(ENTENTE_SOURCE_DIR, "/tests/golden/", name), 1 << 20);
  ENTENTE_CHECK(text.ok());
  return *text;
}

std::string GoldenBytes(absl::string_view name) {
  const std::string text = GoldenText(name);
  std::string digits;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (absl::ascii_isspace(static_cast<unsigned char>(c))) continue;
      ENTENTE_CHECK(absl::ascii_isxdigit(static_cast<unsigned char>(c)));
      digits.push_back(c);
    }
  }
  ENTENTE_CHECK(digits.size() % 2 == 0);
  return absl::HexStringToBytes(digits);
}

}  // namespace entente
