// SPDX-License-Identifier: Apache-2.0
#include "common/http/message_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entente::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Response Hello(const Request&) { return TextResponse(200, "hello"); }

TEST(MessageExchangeTest, HeadEndsAfterAnEmptyLine) {
  EXPECT_EQ(HeadEnd("GET / HTTP/1.1\r\n\r\nrest"), 18u);
  EXPECT_EQ(HeadEnd("GET / HTTP/1.1\n\nrest"), 16u);
  EXPECT_EQ(HeadEnd("GET / HTTP/1.1\r\n"), std::string::npos);
}

TEST(MessageExchangeTest, BodyClosesTheConnection) {
  EXPECT_TRUE(ExchangeMessages("GET / HTTP/1.1\r\n\r\n", Hello).keeps_open);
  EXPECT_TRUE(ExchangeMessages("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", Hello).keeps_open);
  EXPECT_FALSE(ExchangeMessages("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", Hello).keeps_open);
  EXPECT_FALSE(
      ExchangeMessages("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Hello).keeps_open);
  EXPECT_FALSE(ExchangeMessages("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", Hello).keeps_open);
}

TEST(MessageExchangeTest, LengthThatIsNoNumberIsRefused) {
  EXPECT_THAT(ExchangeMessages("GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", Hello).bytes,
              StartsWith("HTTP/1.1 400"));
}

TEST(MessageExchangeTest, RangesAreIgnored) {
  EXPECT_THAT(ExchangeMessages("GET / HTTP/1.1\r\nRange: bytes=0-1,1-2,2-3\r\n\r\n", Hello).bytes,
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("\r\n\r\nhello\n")));
}

TEST(MessageExchangeTest, ABrowserGetsGzipThoughItTakesBrotli) {
  const auto bytes = [](absl::string_view encodings) {
    return ExchangeMessages(
               absl::StrCat("GET / HTTP/1.1\r\nAccept-Encoding: ", encodings, "\r\n\r\n"), Hello)
        .bytes;
  };
  EXPECT_THAT(bytes("gzip, deflate, br"), HasSubstr("Content-Encoding: gzip"));
  EXPECT_THAT(bytes("br"), AllOf(Not(HasSubstr("Content-Encoding")), HasSubstr("hello")));
}

TEST(MessageExchangeTest, AnswerWithEventsHasNoLengthAndStaysOpenForThemOnly) {
  const Answer answer = ExchangeMessages("GET / HTTP/1.1\r\n\r\n", [](const Request&) {
    Response response;
    response.events = [](std::shared_ptr<EventStream>) {};
    return response;
  });
  EXPECT_NE(answer.events, nullptr);
  EXPECT_FALSE(answer.keeps_open);
  EXPECT_THAT(answer.bytes, AllOf(HasSubstr("text/event-stream"), Not(HasSubstr("Content-Length")),
                                  HasSubstr("no-store")));
}

TEST(MessageExchangeTest, HeaderThatARouteTakesFromOutsideCannotBecomeTwo) {
  const Answer answer = ExchangeMessages("GET / HTTP/1.1\r\n\r\n", [](const Request&) {
    Response response = TextResponse(200, "x");
    response.headers.emplace_back("X-Name", "a\r\nSet-Cookie: evil");
    return response;
  });
  EXPECT_THAT(answer.bytes, Not(HasSubstr("\nSet-Cookie")));
}

TEST(MessageExchangeTest, KeptFilesSaySo) {
  const Answer answer = ExchangeMessages("GET / HTTP/1.1\r\n\r\n", [](const Request&) {
    Response response = TextResponse(200, "x");
    response.may_be_kept = true;
    return response;
  });
  EXPECT_THAT(answer.bytes, HasSubstr("Cache-Control: max-age"));
}

}  // namespace
}  // namespace entente::http
