// SPDX-License-Identifier: Apache-2.0
#include "worker/policy/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace entente {
namespace {

TEST(PatternTest, AStarStandsForAnyRun) {
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("*", "anything at all"));
  EXPECT_TRUE(MatchesPattern("research*", "research"));
  EXPECT_TRUE(MatchesPattern("*commercial*", "non-commercial use"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(MatchesPattern("a**c", "ac"));
  EXPECT_TRUE(MatchesPattern("*.csv", "a.csv.csv"));
}

TEST(PatternTest, TheWholeTextMustFit) {
  EXPECT_TRUE(MatchesPattern("mlp", "mlp"));
  EXPECT_FALSE(MatchesPattern("mlp", "mlpx"));
  EXPECT_FALSE(MatchesPattern("mlp", "xmlp"));
  EXPECT_FALSE(MatchesPattern("a*b", "ab "));
  EXPECT_FALSE(MatchesPattern("a*b", "a"));
  EXPECT_FALSE(MatchesPattern("", "a"));
  EXPECT_TRUE(MatchesPattern("", ""));
}

TEST(PatternTest, NothingButTheStarIsSpecial) {
  EXPECT_FALSE(MatchesPattern("a.c", "abc"));
  EXPECT_FALSE(MatchesPattern("a?c", "abc"));
  EXPECT_FALSE(MatchesPattern("[abc]", "a"));
  EXPECT_FALSE(MatchesPattern("MLP", "mlp"));
}

TEST(PatternTest, ATextMadeToBeSlowIsNot) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace entente
