// SPDX-License-Identifier: Apache-2.0
#include "cli/model_name.h"

#include <gtest/gtest.h>

#include <string>

namespace entente::cli {
namespace {

TEST(ModelNameTest, EightToSixtyFourHexadecimalDigitsAreADigest) {
  EXPECT_TRUE(LooksLikeDigest("0123abcd"));
  EXPECT_TRUE(LooksLikeDigest(std::string(64, 'f')));
  EXPECT_FALSE(LooksLikeDigest("0123abc"));
  EXPECT_FALSE(LooksLikeDigest(std::string(65, 'f')));
  EXPECT_FALSE(LooksLikeDigest("fashion-mnist-k3x9qa"));
  EXPECT_FALSE(LooksLikeDigest("ABCDEF01"));
}

}  // namespace
}  // namespace entente::cli
