// SPDX-License-Identifier: Apache-2.0
#include "common/config/name_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace entente {
namespace {

TEST(NameRulesTest, SlugsAreShortLowerCaseAndStartWithALetter) {
  EXPECT_TRUE(IsSlug("fr-lab"));
  EXPECT_TRUE(IsSlug("a"));
  EXPECT_TRUE(IsSlug(std::string(40, 'a')));
  for (const std::string& text :
       {std::string(), std::string(41, 'a'), std::string("1a"), std::string("-a"),
        std::string("Fr"), std::string("a b"), std::string("a/b"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(IsSlug(text)) << text;
  }
}

TEST(NameRulesTest, DatasetNamesHoldNoSlash) {
  EXPECT_TRUE(IsDatasetName("Fashion-MNIST_v1.0"));
  EXPECT_TRUE(IsDatasetName(std::string(63, 'x')));
  EXPECT_FALSE(IsDatasetName(std::string(64, 'x')));
  EXPECT_FALSE(IsDatasetName(""));
  EXPECT_FALSE(IsDatasetName("a/b"));
  EXPECT_FALSE(IsDatasetName("a b"));
}

TEST(NameRulesTest, OneLineCountsCharactersNotBytes) {
  EXPECT_TRUE(IsOneLine("연구", 2));
  EXPECT_FALSE(IsOneLine("연구소", 2));
  EXPECT_FALSE(IsOneLine("", 2));
  EXPECT_FALSE(IsOneLine("a\nb", 200));
  EXPECT_FALSE(IsOneLine("a\x1b", 200));
}

TEST(NameRulesTest, TrustDomainsAreLowerCase) {
  EXPECT_TRUE(IsTrustDomain("fr-lab.example"));
  EXPECT_FALSE(IsTrustDomain("FR.example"));
  EXPECT_FALSE(IsTrustDomain(""));
  EXPECT_FALSE(IsTrustDomain("a/b"));
  EXPECT_FALSE(IsTrustDomain(std::string(254, 'a')));
}

TEST(NameRulesTest, OnlyAssignedCountryCodesCount) {
  for (const char* code : {"AD", "BR", "CA", "FR", "IN", "KR", "NO", "ZW"}) {
    EXPECT_TRUE(IsCountryCode(code)) << code;
  }
  for (const char* code : {"", "F", "fr", "FRA", "UK", "XX", "R ", " F", "D A"}) {
    EXPECT_FALSE(IsCountryCode(code)) << code;
  }
}

TEST(NameRulesTest, HostAndPortAreBothNeeded) {
  for (const char* text : {"localhost:7443", "10.0.0.1:1", "[::1]:7443", "a-b.example:65535"}) {
    EXPECT_TRUE(IsHostPort(text, 1)) << text;
  }
  for (const char* text :
       {"", "localhost", ":7443", "localhost:", "localhost:x", "localhost:65536", "localhost:-1",
        "localhost:0", "::1:7443", "[::1:7443", "[]:1", "a b:1", "https://a:1"}) {
    EXPECT_FALSE(IsHostPort(text, 1)) << text;
  }
  EXPECT_TRUE(IsHostPort("0.0.0.0:0", 0));
}

}  // namespace
}  // namespace entente
