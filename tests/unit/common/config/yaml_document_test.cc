// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml_document.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = YamlNode::Kind;

TEST(YamlDocumentTest, KeepsTheTreeAndThePlaces) {
  ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml("a: 1\nb:\n  - x\n  - \"2\"\nc:\n", "f"));

  ASSERT_EQ(root.kind, Kind::kMap);
  ASSERT_EQ(root.keys.size(), 3u);
  EXPECT_EQ(root.keys[1].text, "b");
  EXPECT_EQ(root.keys[1].place.line, 2);
  const YamlNode& list = root.items[1];
  ASSERT_EQ(list.kind, Kind::kList);
  EXPECT_EQ(list.items[1].text, "2");
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_FALSE(list.items[0].quoted);
  EXPECT_EQ(list.items[1].place.line, 4);
  EXPECT_EQ(list.items[1].place.column, 5);
  EXPECT_EQ(root.items[2].kind, Kind::kNull);
}

TEST(YamlDocumentTest, AnEmptyTextIsNothing) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n"}) {
    ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml(text, "f"));
    EXPECT_EQ(root.kind, Kind::kNull) << text;
  }
}

TEST(YamlDocumentTest, ByteOrderMarkAndWindowsLinesAreRead) {
  ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml("\xEF\xBB\xBFkey: é\r\nb: 2\r\n", "f"));

  EXPECT_EQ(root.keys[0].text, "key");
  EXPECT_EQ(root.items[0].text, "é");
}

TEST(YamlDocumentTest, BrokenYamlIsPlaced) {
  EXPECT_THAT(ParseYaml("a: [1, 2\nb: 3\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("f.yaml:2:")));
  EXPECT_THAT(ParseYaml("a: 1\n\tb: 2\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, StartsWith("f.yaml:")));
}

TEST(YamlDocumentTest, AQuoteThatIsNeverClosedIsRefused) {
  for (const char* text : {"a: \"open", "a: \"open\n", "a: 'open\nb: 2\n", "a: [\"open\n"}) {
    EXPECT_THAT(ParseYaml(text, "f.yaml"),
                StatusIs(StatusCode::kInvalidArgument, StartsWith("f.yaml:")))
        << text;
  }
}

TEST(YamlDocumentTest, ATextMayEndItself) {
  for (const char* text : {"a: 1\n...\n", "a: 1\n...", "---\na: 1\n...\n# done\n"}) {
    ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml(text, "f.yaml"));
    EXPECT_EQ(root.items[0].text, "1") << text;
  }
}

TEST(YamlDocumentTest, BlockTextsKeepTheirLines) {
  ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml("a: |\n  one\n  two\n", "f.yaml"));

  EXPECT_EQ(root.items[0].text, "one\ntwo\n");
  EXPECT_TRUE(root.items[0].quoted);
}

TEST(YamlDocumentTest, AnchorsAndAliasesAreRefused) {
  EXPECT_THAT(ParseYaml("a: &x [1]\nb: *x\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "f.yaml:1:4: anchors (&) are not allowed; write the value out"));
  EXPECT_THAT(ParseYaml("a: *x\n", "f.yaml"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(YamlDocumentTest, TagsAreRefused) {
  EXPECT_THAT(
      ParseYaml("a: !!int 5\n", "f.yaml"),
      StatusIs(StatusCode::kInvalidArgument, "f.yaml:1:4: tags (!) are not allowed; leave it out"));
  EXPECT_THAT(ParseYaml("a: !x [5]\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("tags (!)")));
}

TEST(YamlDocumentTest, ASecondDocumentIsRefused) {
  EXPECT_THAT(ParseYaml("a: 1\n---\nb: 2\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("a second document starts here")));
}

TEST(YamlDocumentTest, KeysMustBeWords) {
  EXPECT_THAT(ParseYaml("? [a]\n: 1\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("a key must be a word")));
  EXPECT_THAT(ParseYaml(": 1\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("a value without its key")));
}

TEST(YamlDocumentTest, OtherEncodingsAreRefusedWithTheirPlace) {
  EXPECT_THAT(ParseYaml("a: 1\nb: caf\xE9\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "f.yaml:2:7: this is not UTF-8; save the file as UTF-8"));
  for (const char* text : {"\xFF\xFE", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_THAT(ParseYaml(text, "f.yaml"),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("not UTF-8")));
  }
}

TEST(YamlDocumentTest, ControlCharactersAreRefusedPlainAndEscaped) {
  EXPECT_THAT(ParseYaml(absl::string_view("a: \0", 4), "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "f.yaml:1:4: there is a control character (byte 0) here; remove it"));
  EXPECT_THAT(ParseYaml("a: \"\\x1b[31m\"\n", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("control character in this text")));
}

TEST(YamlDocumentTest, DepthIsLimited) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_THAT(ParseYaml("a: " + deep, "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("nested over 32 deep")));
}

TEST(YamlDocumentTest, TheNumberOfNodesIsLimited) {
  std::string many = "a: [";
  for (size_t i = 0; i <= limits::kYamlNodesMax; ++i) many += "1,";
  EXPECT_THAT(ParseYaml(many + "]", "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("over 100,000 keys and values")));
}

TEST(YamlDocumentTest, TheSizeIsLimited) {
  EXPECT_THAT(ParseYaml(std::string(limits::kConfigBytesMax + 1, ' '), "f.yaml"),
              StatusIs(StatusCode::kInvalidArgument,
                       "f.yaml:1:1: the text has 4,194,305 bytes; at most 4,194,304 are read"));
}

}  // namespace
}  // namespace entente
