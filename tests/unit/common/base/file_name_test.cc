// SPDX-License-Identifier: Apache-2.0
#include "common/base/file_name.h"

#include <gtest/gtest.h>

#include <set>

namespace entente {
namespace {

TEST(FileNameTest, PlainCharactersStandForThemselves) {
  EXPECT_EQ(FileNameOf("Fashion-k3x9qa_0"), "Fashion-k3x9qa_0");
  EXPECT_EQ(FileNameOf(""), "");
}

TEST(FileNameTest, EveryOtherByteIsTwoHexadecimalDigits) {
  EXPECT_EQ(FileNameOf("a.b"), "a%2eb");
  EXPECT_EQ(FileNameOf("é"), "%c3%a9");
  EXPECT_EQ(FileNameOf("\n"), "%0a");
  EXPECT_EQ(FileNameOf(std::string(1, '\0')), "%00");
  EXPECT_EQ(FileNameOf("\xff"), "%ff");
}

TEST(FileNameTest, NoNameLeavesItsFolder) {
  EXPECT_EQ(FileNameOf(".."), "%2e%2e");
  EXPECT_EQ(FileNameOf("../a"), "%2e%2e%2fa");
  EXPECT_EQ(FileNameOf(".hidden"), "%2ehidden");
}

TEST(FileNameTest, DifferentTextsHaveDifferentNames) {
  std::set<std::string> names;
  for (int byte = 0; byte < 256; ++byte) {
    names.insert(FileNameOf(std::string(1, static_cast<char>(byte))));
  }
  EXPECT_EQ(names.size(), 256u);
  EXPECT_NE(FileNameOf("a/b"), FileNameOf("a%2fb"));
}

}  // namespace
}  // namespace entente
