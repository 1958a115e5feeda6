// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_message.h"

#include <gtest/gtest.h>

namespace entente::http {
namespace {

TEST(HttpMessageTest, MissingValuesAreEmpty) {
  Request request;
  request.query.emplace("page", "2");
  request.headers.emplace("host", "localhost");
  EXPECT_EQ(request.QueryValue("page"), "2");
  EXPECT_EQ(request.QueryValue("none"), "");
  EXPECT_EQ(request.Header("host"), "localhost");
  EXPECT_EQ(request.Header("none"), "");
}

TEST(HttpMessageTest, SentencesEndTheirLine) {
  EXPECT_EQ(TextResponse(404, "no").body, "no\n");
  EXPECT_EQ(TextResponse(404, "no").status, 404);
}

TEST(HttpMessageTest, WhoSeesMoreIsGreater) {
  EXPECT_LT(Viewer::Kind::kPublic, Viewer::Kind::kMember);
  EXPECT_LT(Viewer::Kind::kMember, Viewer::Kind::kOperator);
  EXPECT_EQ(ViewerKindName(Viewer::Kind::kMember), "member");
}

}  // namespace
}  // namespace entente::http
