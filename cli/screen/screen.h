// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_SCREEN_SCREEN_H_
#define CLI_SCREEN_SCREEN_H_

// A whole terminal to draw on and to read keys from. terminal_screen.h is the real one.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace entente::cli {

enum class Key {
  kNone,  // Nothing was pressed in time.
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kBack,  // Escape, backspace or the left arrow.
  kTab,
  kHelp,     // "?" or "h".
  kQuit,     // "q".
  kResized,  // The size is another one now.
  kOther,
  kGone,  // Nobody is there any more: the terminal was closed.
};

// One thread uses it: the one that made it.
class Screen {
 public:
  virtual ~Screen() = default;

  struct Size {
    size_t width = 80;
    size_t height = 24;
  };
  virtual Size size() const = 0;

  // Replaces what is shown. What does not fit is cut off; lines are as styled_text.h says.
  virtual void Draw(const std::vector<std::string>& lines) = 0;

  // Waits at most `limit` for a key.
  virtual Key NextKey(absl::Duration limit) = 0;
};

}  // namespace entente::cli

#endif  // CLI_SCREEN_SCREEN_H_
