// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tcp_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/unit/common/rpc/plain_listener.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

Deadline In(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

constexpr auto kSoon = std::chrono::seconds(5);

TEST(TcpConnectionTest, TargetsAreReadIntoHostAndPort) {
  ASSERT_OK_AND_ASSIGN(const HostAndPort name, ParseHostAndPort("a.example:7443"));
  ASSERT_OK_AND_ASSIGN(const HostAndPort v4, ParseHostAndPort("192.0.2.1:1"));
  ASSERT_OK_AND_ASSIGN(const HostAndPort v6, ParseHostAndPort("[2001:db8::1]:65535"));

  EXPECT_EQ(name.host, "a.example");
  EXPECT_EQ(name.port, "7443");
  EXPECT_FALSE(name.host_is_address);
  EXPECT_EQ(v4.host, "192.0.2.1");
  EXPECT_TRUE(v4.host_is_address);
  EXPECT_EQ(v6.host, "2001:db8::1");
  EXPECT_TRUE(v6.host_is_address);
}

TEST(TcpConnectionTest, MalformedTargetsAreRefused) {
  for (const std::string target :
       {"", "a.example", ":7443", "a.example:", "a.example:0", "a.example:65536", "a.example:+1",
        "a.example:7443x", "https://a.example:7443", "a b:1", "2001:db8::1:1", "[a.example]:1",
        "[]:1", "a:b:1"}) {
    EXPECT_THAT(ParseHostAndPort(target),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not host:port")))
        << target;
  }
}

TEST(TcpConnectionTest, BytesComeBack) {
  const PlainListener listener([](int fd) {
    char buffer[5];
    const ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_WAITALL);
    ASSERT_EQ(send(fd, buffer, static_cast<size_t>(got), 0), got);
  });
  ASSERT_OK_AND_ASSIGN(const HostAndPort where, ParseHostAndPort(listener.target()));
  ASSERT_OK_AND_ASSIGN(const auto connection, TcpConnection::Open(where, In(kSoon)));
  std::array<char, 100> buffer;

  ASSERT_THAT(connection->Send("hello", In(kSoon)), IsOk());

  ASSERT_OK_AND_ASSIGN(const size_t got, connection->Receive(absl::MakeSpan(buffer), In(kSoon)));
  EXPECT_EQ(std::string(buffer.data(), got), "hello");
  ASSERT_OK_AND_ASSIGN(const size_t end, connection->Receive(absl::MakeSpan(buffer), In(kSoon)));
  EXPECT_EQ(end, 0U);
}

TEST(TcpConnectionTest, SilenceEndsAtTheDeadline) {
  const PlainListener listener(nullptr);
  ASSERT_OK_AND_ASSIGN(const HostAndPort where, ParseHostAndPort(listener.target()));
  ASSERT_OK_AND_ASSIGN(const auto connection, TcpConnection::Open(where, In(kSoon)));
  std::array<char, 100> buffer;

  EXPECT_THAT(connection->Receive(absl::MakeSpan(buffer), In(std::chrono::milliseconds(20))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(TcpConnectionTest, FullBuffersEndAtTheDeadline) {
  const PlainListener listener(nullptr);
  ASSERT_OK_AND_ASSIGN(const HostAndPort where, ParseHostAndPort(listener.target()));
  ASSERT_OK_AND_ASSIGN(const auto connection, TcpConnection::Open(where, In(kSoon)));

  EXPECT_THAT(connection->Send(std::string(64 << 20, 'x'), In(std::chrono::milliseconds(100))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(TcpConnectionTest, ClosedPortIsUnavailable) {
  ASSERT_OK_AND_ASSIGN(const HostAndPort where, ParseHostAndPort(RefusingTarget()));

  EXPECT_THAT(TcpConnection::Open(where, In(kSoon)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refuses connections")));
}

TEST(TcpConnectionTest, UnknownNameIsNotFound) {
  ASSERT_OK_AND_ASSIGN(const HostAndPort where, ParseHostAndPort("no-such-host.invalid:1"));

  EXPECT_THAT(
      TcpConnection::Open(where, In(std::chrono::seconds(30))),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("no-such-host.invalid does not resolve")));
}

TEST(TcpConnectionTest, NoTimeIsUnavailable) {
  EXPECT_THAT(TcpConnection::Open({.host = "localhost", .port = "1"}, Deadline()),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entente
