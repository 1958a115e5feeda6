// SPDX-License-Identifier: Apache-2.0
// The screen on a terminal of the kernel's own making, whose other end the test holds.
#include "cli/screen/terminal_screen.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Generous: it is waited for only if something is wrong.
constexpr absl::Duration kLong = absl::Seconds(30);

class TerminalScreenTest : public ::testing::Test {
 protected:
  TerminalScreenTest() {
    winsize window = {.ws_row = 10, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(openpty(&master_, &slave_, nullptr, nullptr, &window), 0);
    files_ = {.input = fdopen(dup(slave_), "r"), .output = fdopen(dup(slave_), "w")};
    tcgetattr(slave_, &before_);
  }
  ~TerminalScreenTest() override {
    fclose(files_.input);
    fclose(files_.output);
    close(slave_);
    if (master_ >= 0) close(master_);
  }

  std::unique_ptr<TerminalScreen> OpenScreen() {
    auto screen = TerminalScreen::Open("xterm", files_);
    EXPECT_THAT(screen, IsOk());
    return *std::move(screen);
  }

  void Press(const std::string& bytes) {
    EXPECT_EQ(write(master_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  // What the screen has written by now.
  std::string Written() const {
    std::string text;
    char buffer[4096];
    pollfd output = {.fd = master_, .events = POLLIN, .revents = 0};
    while (poll(&output, 1, 0) == 1 && (output.revents & POLLIN) != 0) {
      const ssize_t got = read(master_, buffer, sizeof(buffer));
      if (got <= 0) break;
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

  int master_ = -1;
  int slave_ = -1;
  termios before_ = {};
  TerminalScreen::Files files_;
};

TEST_F(TerminalScreenTest, TerminalIsGivenBackAsItWas) {
  auto screen = OpenScreen();
  screen->Draw({"hello"});
  termios during = {};
  tcgetattr(slave_, &during);
  EXPECT_EQ(during.c_lflag & static_cast<tcflag_t>(ECHO | ICANON), 0U);
  EXPECT_THAT(Written(), AllOf(HasSubstr("\x1b[?1049h"), HasSubstr("hello")));

  screen.reset();

  termios after = {};
  tcgetattr(slave_, &after);
  EXPECT_EQ(after.c_lflag, before_.c_lflag);
  EXPECT_EQ(after.c_iflag, before_.c_iflag);
  EXPECT_THAT(Written(), HasSubstr("\x1b[?1049l"));
}

TEST_F(TerminalScreenTest, LinesAreCutAtBothEdgesAndKeepTheirCharacters) {
  auto screen = OpenScreen();

  screen->Draw(std::vector<std::string>(20, std::string(60, 'x') + "▁"));
  screen->Draw({"", "", "loss ▁▄█ \x1b[31mred\x1b[0m"});

  EXPECT_THAT(Written(), AllOf(HasSubstr("loss ▁▄█"), HasSubstr("red")));
}

TEST_F(TerminalScreenTest, NoControlCharacterOfALineReachesTheTerminal) {
  auto screen = OpenScreen();

  screen->Draw({"evil\x1b]0;title\a\x1b[2Jname"});

  EXPECT_THAT(Written(), AllOf(HasSubstr("evil?]0;title??[2Jname"), Not(HasSubstr("\x1b]")),
                               Not(HasSubstr("\a"))));
}

TEST_F(TerminalScreenTest, KeysAreUnderstood) {
  auto screen = OpenScreen();

  Press("j\x1bOAq\r?\t\x1b[6~");

  EXPECT_EQ(screen->NextKey(kLong), Key::kDown);
  EXPECT_EQ(screen->NextKey(kLong), Key::kUp);
  EXPECT_EQ(screen->NextKey(kLong), Key::kQuit);
  EXPECT_EQ(screen->NextKey(kLong), Key::kEnter);
  EXPECT_EQ(screen->NextKey(kLong), Key::kHelp);
  EXPECT_EQ(screen->NextKey(kLong), Key::kTab);
  EXPECT_EQ(screen->NextKey(kLong), Key::kPageDown);
  EXPECT_EQ(screen->NextKey(absl::ZeroDuration()), Key::kNone);
}

TEST_F(TerminalScreenTest, NewSizeIsSeen) {
  auto screen = OpenScreen();
  EXPECT_EQ(screen->size().width, 40U);

  const winsize window = {.ws_row = 12, .ws_col = 70, .ws_xpixel = 0, .ws_ypixel = 0};
  ioctl(slave_, TIOCSWINSZ, &window);

  EXPECT_EQ(screen->NextKey(kLong), Key::kResized);
  EXPECT_EQ(screen->size().width, 70U);
  EXPECT_EQ(screen->size().height, 12U);
}

TEST_F(TerminalScreenTest, TerminalThatIsClosedIsGone) {
  auto screen = OpenScreen();
  close(master_);
  master_ = -1;

  EXPECT_EQ(screen->NextKey(kLong), Key::kGone);
}

TEST_F(TerminalScreenTest, TerminalsThatShowLinesOnlyAreRefusedUntouched) {
  EXPECT_THAT(TerminalScreen::Open("dumb", files_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("shows lines only")));
  EXPECT_THAT(TerminalScreen::Open("", files_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("shows lines only")));
  EXPECT_THAT(TerminalScreen::Open("no-such-terminal", files_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not known")));

  EXPECT_EQ(Written(), "");
}

}  // namespace
}  // namespace entente::cli
