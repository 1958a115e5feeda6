// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/verb.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

namespace entente::cli {
namespace {

struct Values {
  std::string name;
  std::string needed;
  std::vector<std::string> many;
  std::string token;
  int number = 7;
  bool flag = false;
};

// Whether the words, last first as CLI11 wants them, are accepted.
bool Parses(std::vector<std::string> reversed, Values& values) {
  CLI::App app;
  Verb verb(&app);
  verb.Option("--name", values.name, "A name");
  verb.Required("NEEDED", values.needed, "Needed");
  verb.Option("--many", values.many, "Many");
  verb.Number("--number", values.number, 1, 9, "A number");
  verb.NotEmpty("--token", values.token, "A token");
  verb.Flag("--flag", values.flag, "A flag");
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError&) {
    return false;
  }
  return true;
}

TEST(VerbTest, ValuesAreRead) {
  Values values;

  ASSERT_TRUE(Parses({"--flag", "3", "--number", "b", "--many", "a", "--many", "n", "--name", "x"},
                     values));

  EXPECT_EQ(values.needed, "x");
  EXPECT_EQ(values.name, "n");
  EXPECT_THAT(values.many, ::testing::ElementsAre("a", "b"));
  EXPECT_EQ(values.number, 3);
  EXPECT_TRUE(values.flag);
}

TEST(VerbTest, EmptyValueIsRefusedWhereItMeansSomethingElse) {
  Values values;

  EXPECT_FALSE(Parses({"", "--token", "x"}, values));
  EXPECT_TRUE(Parses({"t", "--token", "x"}, values));
  EXPECT_EQ(values.token, "t");
  EXPECT_TRUE(Parses({"x"}, values));
}

TEST(VerbTest, MissingArgumentAndNumberOutOfRangeAreRefused) {
  Values values;

  EXPECT_FALSE(Parses({}, values));
  EXPECT_FALSE(Parses({"10", "--number", "x"}, values));
  EXPECT_FALSE(Parses({"many", "--number", "x"}, values));
}

}  // namespace
}  // namespace entente::cli
