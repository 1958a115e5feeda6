// SPDX-License-Identifier: Apache-2.0
#include "common/base/utf8.h"

#include <gtest/gtest.h>

namespace entente {
namespace {

TEST(Utf8Test, CharactersHaveOneToFourBytes) {
  EXPECT_EQ(Utf8CharacterBytes("a"), 1u);
  EXPECT_EQ(Utf8CharacterBytes("é"), 2u);
  EXPECT_EQ(Utf8CharacterBytes("서"), 3u);
  EXPECT_EQ(Utf8CharacterBytes("\xf0\x9f\x87\xab"), 4u);
}

TEST(Utf8Test, WhatIsNoCharacterHasNoBytes) {
  EXPECT_EQ(Utf8CharacterBytes(""), 0u);
  EXPECT_EQ(Utf8CharacterBytes("\xff"), 0u);
  EXPECT_EQ(Utf8CharacterBytes("\xc0\x80"), 0u);               // Overlong.
  EXPECT_EQ(Utf8CharacterBytes("\xed\xa0\x80"), 0u);           // A surrogate.
  EXPECT_EQ(Utf8CharacterBytes("\xf4\x90\x80\x80"), 0u);       // Past U+10FFFF.
  EXPECT_EQ(Utf8CharacterBytes(std::string("\xec\x84")), 0u);  // Cut off.
}

TEST(Utf8Test, ClippingNeverCutsACharacter) {
  EXPECT_EQ(ClipUtf8("aé", 3), "aé");
  EXPECT_EQ(ClipUtf8("aé", 2), "a");
  EXPECT_EQ(ClipUtf8("서울", 2), "");
}

TEST(Utf8Test, BytesThatAreNotUtf8AreReplacedAndTheRestStays) {
  EXPECT_EQ(ToValidUtf8("서울 a"), "서울 a");
  EXPECT_EQ(ToValidUtf8("caf\xe9!"), "caf\xef\xbf\xbd!");
  EXPECT_EQ(ToValidUtf8("\xec\x84"), "\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace entente
