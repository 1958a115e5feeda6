// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_SCREEN_TERMINAL_SCREEN_H_
#define CLI_SCREEN_TERMINAL_SCREEN_H_

// The whole terminal by ncurses, which knows what each kind of terminal understands and sends only
// what has changed: that matters over SSH.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/screen/screen.h"

namespace entente::cli {

// One at a time in a process.
class TerminalScreen final : public Screen {
 public:
  // Both must be a terminal, and stay open as long as the screen is. Borrowed.
  struct Files {
    FILE* input = nullptr;
    FILE* output = nullptr;
  };

  // Takes the terminal over: another page, no echo, no cursor. `type` is what TERM says. Sets the
  // process's character encoding to UTF-8, which everything is written in.
  //
  // INVALID_ARGUMENT if the type is unknown or cannot place a cursor ("dumb"); nothing is changed.
  static absl::StatusOr<std::unique_ptr<TerminalScreen>> Open(const std::string& type, Files files);

  // Gives the terminal back as it was.
  ~TerminalScreen() override;
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  Size size() const override;
  void Draw(const std::vector<std::string>& lines) override;
  Key NextKey(absl::Duration limit) override;

 private:
  struct Curses;  // Kept out of this header: ncurses claims many names.

  explicit TerminalScreen(std::unique_ptr<Curses> curses);

  const std::unique_ptr<Curses> curses_;
};

// Whether a terminal of this type shows lines only: TERM is "dumb" or says nothing.
bool IsLineTerminal(const std::string& type);

}  // namespace entente::cli

#endif  // CLI_SCREEN_TERMINAL_SCREEN_H_
