// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TEXT_PAINTER_H_
#define CLI_TEXT_PAINTER_H_

// Colours and weights of what a terminal shows: the sequences of ECMA-48, chapter 8.3.117 (SGR).

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entente::cli {

inline constexpr char kBold[] = "\x1b[1m";
inline constexpr char kDim[] = "\x1b[2m";
inline constexpr char kReverse[] = "\x1b[7m";
inline constexpr char kRed[] = "\x1b[31m";
inline constexpr char kGreen[] = "\x1b[32m";
inline constexpr char kYellow[] = "\x1b[33m";
inline constexpr char kPlain[] = "\x1b[0m";

// Paints where colour is wanted, and leaves text as it is where not.
class TextPainter {
 public:
  explicit TextPainter(bool colour) : colour_(colour) {}

  std::string Paint(absl::string_view text, const char* style) const {
    if (!colour_ || text.empty()) return std::string(text);
    return absl::StrCat(style, text, kPlain);
  }

 private:
  const bool colour_;
};

}  // namespace entente::cli

#endif  // CLI_TEXT_PAINTER_H_
