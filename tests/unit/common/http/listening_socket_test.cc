// SPDX-License-Identifier: Apache-2.0
#include "common/http/listening_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente::http {
namespace {

TEST(ListeningSocketTest, AddressesAreHostAndPort) {
  ASSERT_OK_AND_ASSIGN(const auto where, ListeningSocket::Parse("[::1]:7480"));
  EXPECT_EQ(where.host, "::1");
  EXPECT_EQ(where.port, 7480);
  for (const char* wrong : {"", ":1", "localhost", "localhost:", "localhost:65536", "localhost:-1",
                            "localhost:7480x"}) {
    EXPECT_THAT(ListeningSocket::Parse(wrong), StatusIs(absl::StatusCode::kInvalidArgument))
        << wrong;
  }
}

TEST(ListeningSocketTest, PortZeroPicksOneThatNobodyElseCanHave) {
  ASSERT_OK_AND_ASSIGN(const auto socket, ListeningSocket::Open("127.0.0.1:0"));
  EXPECT_GT(socket.port(), 0);
  EXPECT_THAT(ListeningSocket::Open("127.0.0.1:" + std::to_string(socket.port())),
              StatusIs(absl::StatusCode::kUnavailable, testing::HasSubstr("already in use")));
  EXPECT_THAT(socket.Accept(), StatusIs(absl::StatusCode::kNotFound));
}

TEST(ListeningSocketTest, AddressOfAnotherMachineIsUnavailable) {
  EXPECT_THAT(ListeningSocket::Open("192.0.2.1:0"),
              StatusIs(absl::StatusCode::kUnavailable, testing::HasSubstr("`http.listen`")));
}

}  // namespace
}  // namespace entente::http
