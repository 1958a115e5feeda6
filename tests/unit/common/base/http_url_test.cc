// SPDX-License-Identifier: Apache-2.0
#include "common/base/http_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

TEST(HttpUrlTest, IsTakenApart) {
  ASSERT_OK_AND_ASSIGN(const HttpUrl url, ParseHttpUrl("https://hooks.example.org:8443/a/b?c=d"));

  EXPECT_TRUE(url.is_https);
  EXPECT_EQ(url.host, "hooks.example.org");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a/b?c=d");
  EXPECT_EQ(url.Authority(), "hooks.example.org:8443");
}

TEST(HttpUrlTest, PortAndPathHaveTheirDefaults) {
  ASSERT_OK_AND_ASSIGN(const HttpUrl secure, ParseHttpUrl("HTTPS://example.org"));
  ASSERT_OK_AND_ASSIGN(const HttpUrl plain, ParseHttpUrl("http://example.org?x=1"));

  EXPECT_EQ(secure.port, 443);
  EXPECT_EQ(secure.path, "/");
  EXPECT_EQ(plain.port, 80);
  EXPECT_EQ(plain.path, "/?x=1");
}

TEST(HttpUrlTest, AddressesOfVersionSixHaveBrackets) {
  ASSERT_OK_AND_ASSIGN(const HttpUrl url, ParseHttpUrl("http://[::1]:9000/hook"));

  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 9000);
  EXPECT_EQ(url.Authority(), "[::1]:9000");
}

TEST(HttpUrlTest, TheOriginKeepsTheTokenInThePathToItself) {
  ASSERT_OK_AND_ASSIGN(const HttpUrl url, ParseHttpUrl("https://chat.example/services/T0/secret"));

  EXPECT_EQ(url.Origin(), "https://chat.example:443");
}

TEST(HttpUrlTest, WhatIsNoUrlOfOursIsRefusedWithWhatItMustBe) {
  const struct {
    const char* text;
    const char* must;
  } cases[] = {
      {"", "begin with https:// or http://"},
      {"example.org/hook", "begin with https:// or http://"},
      {"ftp://example.org/hook", "begin with https:// or http://"},
      {"file:///etc/passwd", "begin with https:// or http://"},
      {"https://", "name a host"},
      {"https:///hook", "name a host"},
      {"https://[::1/hook", "close the bracket"},
      {"https://[nonsense]/", "name a host"},
      {"https://a:b:c/", "port of 1 to 65535"},
      {"https://example.org:0/", "port of 1 to 65535"},
      {"https://example.org:65536/", "port of 1 to 65535"},
      {"https://example.org:/", "port of 1 to 65535"},
      {"https://user:secret@example.org/", "no user or password"},
      {"https://example.org/a b", "neither spaces"},
      {"https://example.org/\r\nX-Forged: 1", "neither spaces"},
      {"https://example.org/#part", "no fragment"},
  };
  for (const auto& [text, must] : cases) {
    EXPECT_THAT(ParseHttpUrl(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(must)))
        << text;
  }
  EXPECT_THAT(ParseHttpUrl("https://example.org/" + std::string(2000, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 2000 bytes")));
}

}  // namespace
}  // namespace entente
