// SPDX-License-Identifier: Apache-2.0
#include "cli/text_layout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace entente::cli {
namespace {

TEST(TextLayoutTest, WidthCountsCharactersAndNotColours) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é█"), 2u);
  EXPECT_EQ(DisplayWidth("\x1b[31mred\x1b[0m"), 3u);
}

TEST(TextLayoutTest, ClipEndsInAnEllipsisAndSwitchesColoursOff) {
  EXPECT_EQ(Clip("short", 5), "short");
  EXPECT_EQ(Clip("longer", 5), "long…");
  EXPECT_EQ(Clip("ééééé", 3), "éé…");
  EXPECT_EQ(Clip("\x1b[31mredder\x1b[0m", 4), "\x1b[31mred…\x1b[0m");
  EXPECT_EQ(Clip("anything", 0), "");
}

TEST(TextLayoutTest, WrapBreaksAtSpacesAndCutsNothing) {
  EXPECT_THAT(Wrap("", 5), ElementsAre());
  EXPECT_THAT(Wrap("short", 5), ElementsAre("short"));
  EXPECT_THAT(Wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("one two three", 6), ElementsAre("one", "two", "three"));
  EXPECT_THAT(Wrap(" a  longerword", 4), ElementsAre("a", "long", "erwo", "rd"));
  EXPECT_THAT(Wrap("ééé é", 3), ElementsAre("ééé", "é"));
  EXPECT_THAT(Wrap("ab", 0), ElementsAre("a", "b"));
}

TEST(TextLayoutTest, PadFillsToExactlyTheWidth) {
  EXPECT_EQ(Pad("ab", 4), "ab  ");
  EXPECT_EQ(Pad("abcdef", 4), "abc…");
}

TEST(TextLayoutTest, ControlCharactersOfOthersNeverReachTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "1m"),
            "?1m");
  EXPECT_EQ(Printable("Université"), "Université");
}

TEST(TextLayoutTest, PrintableLeavesNothingThatTurnsTheTextAround) {
  EXPECT_EQ(Printable("fr-lab\u202egnp\u2066.x\u200f"), "fr-lab?gnp?.x?");
  EXPECT_EQ(Printable("▁…“\u2070"), "▁…“\u2070");
}

TEST(TextLayoutTest, BarShowsTheShare) {
  EXPECT_EQ(Bar(0, 4), "░░░░");
  EXPECT_EQ(Bar(0.5, 4), "██░░");
  EXPECT_EQ(Bar(1, 4), "████");
  EXPECT_EQ(Bar(7, 4), "████");
  EXPECT_EQ(Bar(std::nan(""), 2), "░░");
}

TEST(TextLayoutTest, SparklineScalesBetweenLeastAndGreatest) {
  EXPECT_EQ(Sparkline(std::vector<double>{0, 3.5, 7}, 10), "▁▅█");
  EXPECT_EQ(Sparkline(std::vector<double>{1, 1}, 10), "▁▁");
  EXPECT_EQ(Sparkline(std::vector<double>{9, 0, 7}, 2), "▁█");
  EXPECT_EQ(Sparkline(std::vector<double>{std::nan(""), 1}, 5), "▁");
  EXPECT_EQ(Sparkline(std::vector<double>{}, 5), "");
}

TEST(TextLayoutTest, DurationsAreShort) {
  EXPECT_EQ(ShortDuration(absl::Seconds(41)), "41 s");
  EXPECT_EQ(ShortDuration(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(ShortDuration(absl::Minutes(125)), "2 h 05 min");
  EXPECT_EQ(ShortDuration(absl::Hours(76)), "3 d 4 h");
  EXPECT_EQ(ShortDuration(-absl::Seconds(5)), "0 s");
}

TEST(TextLayoutTest, AmountsAreForPeople) {
  EXPECT_EQ(BytesText(812), "812 B");
  EXPECT_EQ(BytesText(4299162), "4.1 MiB");
  EXPECT_EQ(BytesText(1048575), "1.0 MiB");
  EXPECT_EQ(PercentText(0.782), "78.2 %");
  EXPECT_EQ(LossText(0.612345), "0.6123");
  EXPECT_EQ(Plural(1, "round"), "1 round");
  EXPECT_EQ(Plural(0, "round"), "0 rounds");
  EXPECT_EQ(TimeText(absl::FromUnixSeconds(0)), "1970-01-01 00:00:00Z");
  EXPECT_EQ(TimeText(absl::InfiniteFuture()), "-");
}

TEST(TextLayoutTest, TableAlignsItsColumns) {
  Table table({"NAME", "VALUE"});
  table.AddRow({"long-name", "1"});
  table.AddRow({"x", ""});

  EXPECT_EQ(table.Text(),
            "NAME       VALUE\n"
            "long-name  1\n"
            "x          -\n");
}

TEST(TextLayoutTest, TableCellsCannotForgeRows) {
  Table table({"NAME"});
  table.AddRow({"evil\nrow"});

  EXPECT_EQ(table.Text(), "NAME\nevil?row\n");
}

TEST(TextLayoutTest, FieldsLeaveOutWhatIsEmpty) {
  EXPECT_EQ(Fields({{"a", "1"}, {"longer", ""}, {"bc", "2"}}), "a   1\nbc  2\n");
}

}  // namespace
}  // namespace entente::cli
