// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_WATCH_TERMINAL_H_
#define CLI_WATCH_TERMINAL_H_

// Draws lines over and over in the same place of a terminal: the last picture stays on the screen
// when it goes, with the cursor below it.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace entente::cli {

// A terminal to write to.
class Terminal {
 public:
  virtual ~Terminal() = default;

  struct Size {
    size_t width = 80;
    size_t height = 24;
  };
  // As it is now: people resize windows.
  virtual Size size() const = 0;
  virtual void Write(const std::string& bytes) = 0;
};

// Whether standard error, or input, is a terminal.
bool StandardErrorIsTerminal();
bool StandardInputIsTerminal();

// Standard output, if it is a terminal.
class StandardTerminal final : public Terminal {
 public:
  static bool IsThere();
  Size size() const override;
  void Write(const std::string& bytes) override;
};

// Not thread-safe.
class WatchTerminal {
 public:
  // Hides the cursor. `terminal` is borrowed.
  explicit WatchTerminal(Terminal* terminal);

  // Shows the cursor again, below the picture.
  ~WatchTerminal();
  WatchTerminal(const WatchTerminal&) = delete;
  WatchTerminal& operator=(const WatchTerminal&) = delete;

  // Replaces the picture. Draws at most ten times a second; what comes sooner is dropped unless
  // `now_or_never`, so call it again.
  void Draw(const std::vector<std::string>& lines, absl::Time now, bool now_or_never = false);

 private:
  Terminal& terminal_;
  size_t lines_drawn_ = 0;
  size_t width_drawn_ = 0;
  absl::Time last_drawn_ = absl::InfinitePast();
};

}  // namespace entente::cli

#endif  // CLI_WATCH_TERMINAL_H_
