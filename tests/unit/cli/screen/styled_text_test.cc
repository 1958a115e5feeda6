// SPDX-License-Identifier: Apache-2.0
#include "cli/screen/styled_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StyledTextTest, PlainTextIsOneRun) {
  EXPECT_THAT(StyledRuns("br-lab ▁▄█"), ElementsAre(StyledRun{.style = {}, .text = "br-lab ▁▄█"}));
  EXPECT_THAT(StyledRuns(""), IsEmpty());
}

TEST(StyledTextTest, SequencesBecomeStylesAndAddUp) {
  EXPECT_THAT(
      StyledRuns("\x1b[7ma\x1b[1;31mb\x1b[0mc\x1b[mc"),
      ElementsAre(StyledRun{.style = {.reverse = true}, .text = "a"},
                  StyledRun{.style = {.colour = TextColour::kRed, .bold = true, .reverse = true},
                            .text = "b"},
                  StyledRun{.style = {}, .text = "cc"}));
}

TEST(StyledTextTest, WhateverElseCouldMoveTheCursorIsAQuestionMark) {
  EXPECT_THAT(StyledRuns("\x1b[2Ja\x1b]0;x\ab\r\n\x7f"),
              ElementsAre(StyledRun{.style = {}, .text = "?[2Ja?]0;x?b???"}));
  EXPECT_THAT(StyledRuns("a\xc2\x9b"
                         "1mb"),
              ElementsAre(StyledRun{.style = {}, .text = "a?1mb"}));
}

TEST(StyledTextTest, BytesThatAreNoUtf8AreQuestionMarks) {
  EXPECT_THAT(StyledRuns("a\xff\x9b"), ElementsAre(StyledRun{.style = {}, .text = "a??"}));
  EXPECT_THAT(StyledRuns("\xe2\x96"), ElementsAre(StyledRun{.style = {}, .text = "??"}));
}

TEST(StyledTextTest, SequenceThatNeverEndsIsNone) {
  EXPECT_THAT(StyledRuns("\x1b[1"), ElementsAre(StyledRun{.style = {}, .text = "?[1"}));
}

}  // namespace
}  // namespace entente::cli
