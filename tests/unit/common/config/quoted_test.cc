// SPDX-License-Identifier: Apache-2.0
#include "common/config/quoted.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace entente {
namespace {

TEST(QuotedTest, StaysInItsLine) {
  EXPECT_EQ(Quoted("two\nlines \"x\" \x1b[31m"), R"("two\nlines \"x\" \033[31m")");
}

TEST(QuotedTest, KeepsOtherAlphabetsReadable) { EXPECT_EQ(Quoted("서울"), "\"서울\""); }

TEST(QuotedTest, IsUtf8WhateverTheTextIs) { EXPECT_EQ(Quoted("\xff"), "\"\xef\xbf\xbd\""); }

TEST(QuotedTest, CutsALongTextBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(59, 'a') + "é" + "b"), "\"" + std::string(59, 'a') + "...\"");
}

TEST(WithCommasTest, GroupsDigitsByThousands) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1'000), "1,000");
  EXPECT_EQ(WithCommas(-123'456), "-123,456");
  EXPECT_EQ(WithCommas(std::numeric_limits<uint64_t>::max()), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace entente
