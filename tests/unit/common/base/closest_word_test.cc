// SPDX-License-Identifier: Apache-2.0
#include "common/base/closest_word.h"

#include <gtest/gtest.h>

namespace entente {
namespace {

const std::vector<std::string> kVerbs = {"submit", "list", "show", "watch", "cancel"};

TEST(EditDistanceTest, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(EditDistance("watch", "watch"), 0u);
  EXPECT_EQ(EditDistance("watch", "wattch"), 1u);
  EXPECT_EQ(EditDistance("watch", "wach"), 1u);
  EXPECT_EQ(EditDistance("watch", "witch"), 1u);
  EXPECT_EQ(EditDistance("watch", "wacth"), 1u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(EditDistanceTest, DoesNotSeeTheCaseOfLetters) {
  EXPECT_EQ(EditDistance("learningrate", "learningRate"), 0u);
}

TEST(ClosestWordTest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(ClosestWord("sbumit", kVerbs), "submit");
  EXPECT_EQ(ClosestWord("lst", kVerbs), "list");
  EXPECT_EQ(ClosestWord("Cancle", kVerbs), "cancel");
  EXPECT_EQ(ClosestWord("learning_rate", {"momentum", "learningRate"}), "learningRate");
}

TEST(ClosestWordTest, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(ClosestWord("delete", kVerbs), std::nullopt);
  EXPECT_EQ(ClosestWord("x", {"y"}), std::nullopt);
  EXPECT_EQ(ClosestWord("", kVerbs), std::nullopt);
  EXPECT_EQ(ClosestWord("list", {}), std::nullopt);
}

TEST(ClosestWordTest, TheFirstOfEqualsWins) {
  EXPECT_EQ(ClosestWord("cat", {"car", "can"}), "car");
}

TEST(ClosestWordTest, AWordOfAbsurdLengthIsNotCompared) {
  EXPECT_EQ(ClosestWord(std::string(101, 'a'), {std::string(100, 'a')}), std::nullopt);
}

}  // namespace
}  // namespace entente
