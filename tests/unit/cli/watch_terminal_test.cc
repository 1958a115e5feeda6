// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(WatchTerminalTest, CursorIsHiddenWhileItLivesAndShownAfterwards) {
  FakeTerminal terminal;
  {
    WatchTerminal screen(&terminal);
    EXPECT_EQ(terminal.written, "\x1b[?25l");
    screen.Draw({"a"}, kNow);
  }

  EXPECT_THAT(terminal.written, EndsWith("\x1b[?25h"));
}

TEST(WatchTerminalTest, SecondPictureGoesOverTheFirst) {
  FakeTerminal terminal;
  WatchTerminal screen(&terminal);
  screen.Draw({"a", "b"}, kNow);
  terminal.written.clear();

  screen.Draw({"c"}, kNow + absl::Seconds(1));

  EXPECT_EQ(terminal.written, "\x1b[2A\rc\x1b[K\r\n\x1b[J");
}

TEST(WatchTerminalTest, TenPicturesASecondAreTheMost) {
  FakeTerminal terminal;
  WatchTerminal screen(&terminal);
  screen.Draw({"a"}, kNow);
  terminal.written.clear();

  screen.Draw({"b"}, kNow + absl::Milliseconds(99));
  EXPECT_EQ(terminal.written, "");

  screen.Draw({"b"}, kNow + absl::Milliseconds(99), /*now_or_never=*/true);
  EXPECT_THAT(terminal.written, HasSubstr("b"));
}

TEST(WatchTerminalTest, NarrowedTerminalStartsAfresh) {
  FakeTerminal terminal;
  WatchTerminal screen(&terminal);
  screen.Draw({"a"}, kNow);
  terminal.size_.width = 40;
  terminal.written.clear();

  screen.Draw({"a"}, kNow + absl::Seconds(1));

  EXPECT_THAT(terminal.written, Not(HasSubstr("\x1b[1A")));
  EXPECT_THAT(terminal.written, StartsWith("\r"));
}

}  // namespace
}  // namespace entente::cli
