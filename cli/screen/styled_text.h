// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_SCREEN_STYLED_TEXT_H_
#define CLI_SCREEN_STYLED_TEXT_H_

// Lines with colours, as the views write them: UTF-8 with ECMA-48 "select graphic rendition"
// sequences (ESC [ 1 m and the like), the only ones that a line may hold.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entente::cli {

enum class TextColour { kNone, kRed, kGreen, kYellow };

struct TextStyle {
  TextColour colour = TextColour::kNone;
  bool bold = false;
  bool dim = false;
  bool reverse = false;

  bool operator==(const TextStyle&) const = default;
};

struct StyledRun {
  TextStyle style;
  std::string text;

  bool operator==(const StyledRun&) const = default;
};

// `line` in pieces of one style each; none is empty. Whatever could move a terminal's cursor or
// change its state becomes "?": control characters, other sequences' beginnings, bytes that are not
// UTF-8.
std::vector<StyledRun> StyledRuns(absl::string_view line);

}  // namespace entente::cli

#endif  // CLI_SCREEN_STYLED_TEXT_H_
