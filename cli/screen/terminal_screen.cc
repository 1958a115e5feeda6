// SPDX-License-Identifier: Apache-2.0
#include "cli/screen/terminal_screen.h"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Its functions alone; the macros of the same names are everybody's words.
#define NCURSES_NOMACROS 1
#include <ncurses.h>
#include <termcap.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/screen/styled_text.h"

namespace entente::cli {
namespace {

// How long the rest of an arrow key's sequence may take on its way: a bare Escape is known by it.
constexpr int kEscapeMilliseconds = 100;

constexpr short kRedPair = 1;
constexpr short kGreenPair = 2;
constexpr short kYellowPair = 3;

// ncurses measures and writes characters as the locale says. Every word of ours is UTF-8, whatever
// the locale.
void UseUtf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

attr_t AttributesOf(const TextStyle& style, bool has_colours) {
  attr_t attributes = A_NORMAL;
  if (style.bold) attributes |= A_BOLD;
  if (style.dim) attributes |= A_DIM;
  if (style.reverse) attributes |= A_REVERSE;
  if (has_colours && style.colour != TextColour::kNone) {
    const short pair = style.colour == TextColour::kRed     ? kRedPair
                       : style.colour == TextColour::kGreen ? kGreenPair
                                                            : kYellowPair;
    attributes |= static_cast<attr_t>(COLOR_PAIR(pair));
  }
  return attributes;
}

Key KeyOf(int code) {
  switch (code) {
    case KEY_UP:
    case 'k':
      return Key::kUp;
    case KEY_DOWN:
    case 'j':
      return Key::kDown;
    case KEY_PPAGE:
      return Key::kPageUp;
    case KEY_NPAGE:
    case ' ':
      return Key::kPageDown;
    case KEY_HOME:
    case 'g':
      return Key::kHome;
    case KEY_END:
    case 'G':
      return Key::kEnd;
    case KEY_ENTER:
    case KEY_RIGHT:
    case '\r':
    case '\n':
      return Key::kEnter;
    case KEY_LEFT:
    case KEY_BACKSPACE:
    case '\x1b':
    case '\x7f':
    case '\b':
      return Key::kBack;
    case '\t':
    case KEY_BTAB:
      return Key::kTab;
    case '?':
    case 'h':
      return Key::kHelp;
    case 'q':
      return Key::kQuit;
    case KEY_RESIZE:
      return Key::kResized;
    default:
      return Key::kOther;
  }
}

}  // namespace

struct TerminalScreen::Curses {
  ~Curses() {
    if (screen == nullptr) return;
    endwin();
    delscreen(screen);
  }

  // People resize windows. ncurses would learn it from a signal, which another thread may have got.
  bool TakeNewSize() const {
    winsize window = {};
    if (ioctl(fileno(files.output), TIOCGWINSZ, &window) != 0) return false;
    if (window.ws_row == 0 || window.ws_col == 0) return false;
    if (window.ws_row == getmaxy(stdscr) && window.ws_col == getmaxx(stdscr)) return false;
    resizeterm(window.ws_row, window.ws_col);
    return true;
  }

  Files files;
  SCREEN* screen = nullptr;
  bool has_colours = false;
};

bool IsLineTerminal(const std::string& type) { return type.empty() || type == "dumb"; }

absl::StatusOr<std::unique_ptr<TerminalScreen>> TerminalScreen::Open(const std::string& type,
                                                                     Files files) {
  const auto unfit = [&type](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("the terminal's type, TERM=\"", type, "\", ", why));
  };
  if (IsLineTerminal(type)) return unfit("shows lines only");
  if (tgetent(nullptr, type.c_str()) != 1) {
    return unfit("is not known on this machine; install ncurses-term, or set another TERM");
  }
  char place_cursor[] = "cm";
  char* nowhere = nullptr;
  if (tgetstr(place_cursor, &nowhere) == nullptr) return unfit("shows lines only");
  UseUtf8();
  auto curses = std::make_unique<Curses>();
  curses->files = files;
  curses->screen = newterm(type.c_str(), files.output, files.input);
  if (curses->screen == nullptr) return unfit("cannot be used");
  cbreak();
  noecho();
  nonl();
  curs_set(0);
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  set_escdelay(kEscapeMilliseconds);
  if (::has_colors() && start_color() == OK && use_default_colors() == OK) {
    curses->has_colours = init_pair(kRedPair, COLOR_RED, -1) == OK &&
                          init_pair(kGreenPair, COLOR_GREEN, -1) == OK &&
                          init_pair(kYellowPair, COLOR_YELLOW, -1) == OK;
  }
  return absl::WrapUnique(new TerminalScreen(std::move(curses)));
}

TerminalScreen::TerminalScreen(std::unique_ptr<Curses> curses) : curses_(std::move(curses)) {}

TerminalScreen::~TerminalScreen() = default;

Screen::Size TerminalScreen::size() const {
  return {.width = static_cast<size_t>(std::max(1, getmaxx(stdscr))),
          .height = static_cast<size_t>(std::max(1, getmaxy(stdscr)))};
}

void TerminalScreen::Draw(const std::vector<std::string>& lines) {
  werase(stdscr);
  const int rows = std::min(getmaxy(stdscr), static_cast<int>(lines.size()));
  for (int row = 0; row < rows; ++row) {
    // A wide character may have run over from the line above.
    wmove(stdscr, row, 0);
    wclrtoeol(stdscr);
    for (const StyledRun& run : StyledRuns(lines[static_cast<size_t>(row)])) {
      wattrset(stdscr, static_cast<int>(AttributesOf(run.style, curses_->has_colours)));
      if (waddnstr(stdscr, run.text.c_str(), static_cast<int>(run.text.size())) == ERR) break;
    }
    wattrset(stdscr, A_NORMAL);
  }
  wrefresh(stdscr);
}

Key TerminalScreen::NextKey(absl::Duration limit) {
  if (curses_->TakeNewSize()) return Key::kResized;
  int code = wgetch(stdscr);
  if (code != ERR) return KeyOf(code);
  pollfd input = {.fd = fileno(curses_->files.input), .events = POLLIN, .revents = 0};
  const int ready = poll(&input, 1, static_cast<int>(absl::ToInt64Milliseconds(limit)));
  if (curses_->TakeNewSize()) return Key::kResized;
  if (ready <= 0) return Key::kNone;  // In time nothing, or a signal.
  code = wgetch(stdscr);
  if (code != ERR) return KeyOf(code);
  // Ready, and nothing to read: the other end is closed.
  return (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? Key::kGone : Key::kNone;
}

}  // namespace entente::cli
