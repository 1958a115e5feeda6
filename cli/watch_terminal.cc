// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kBetweenDrawings = absl::Milliseconds(100);

// ECMA-48 sequences: cursor off and on, up, to the line's start, erase to the end of line and
// screen.
constexpr char kHideCursor[] = "\x1b[?25l";
constexpr char kShowCursor[] = "\x1b[?25h";
constexpr char kEraseRestOfLine[] = "\x1b[K";
constexpr char kEraseBelow[] = "\x1b[J";

}  // namespace

bool StandardErrorIsTerminal() { return isatty(STDERR_FILENO) == 1; }

bool StandardInputIsTerminal() { return isatty(STDIN_FILENO) == 1; }

bool StandardTerminal::IsThere() { return isatty(STDOUT_FILENO) == 1; }

Terminal::Size StandardTerminal::size() const {
  winsize window = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) {
    return {};
  }
  return {.width = window.ws_col, .height = window.ws_row};
}

void StandardTerminal::Write(const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;  // The terminal is gone; there is nobody to tell.
    done += static_cast<size_t>(put);
  }
}

WatchTerminal::WatchTerminal(Terminal* terminal) : terminal_(*terminal) {
  terminal_.Write(kHideCursor);
}

WatchTerminal::~WatchTerminal() { terminal_.Write(kShowCursor); }

void WatchTerminal::Draw(const std::vector<std::string>& lines, absl::Time now, bool now_or_never) {
  if (!now_or_never && now >= last_drawn_ && now - last_drawn_ < kBetweenDrawings) return;
  last_drawn_ = now;
  std::string bytes;
  // A terminal that became narrower has wrapped the old lines, so their place is no longer known:
  // then the picture starts afresh below.
  const size_t width = terminal_.size().width;
  if (lines_drawn_ > 0 && width >= width_drawn_) {
    absl::StrAppend(&bytes, "\x1b[", lines_drawn_, "A");
  }
  absl::StrAppend(&bytes, "\r");
  for (const std::string& line : lines) absl::StrAppend(&bytes, line, kEraseRestOfLine, "\r\n");
  absl::StrAppend(&bytes, kEraseBelow);
  terminal_.Write(bytes);
  lines_drawn_ = lines.size();
  width_drawn_ = width;
}

}  // namespace entente::cli
