// SPDX-License-Identifier: Apache-2.0
#include "common/base/file_name.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace entente {

std::string FileNameOf(absl::string_view text) {
  std::string name;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_') {
      name.push_back(c);
    } else {
      absl::StrAppend(&name, "%", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return name;
}

}  // namespace entente
