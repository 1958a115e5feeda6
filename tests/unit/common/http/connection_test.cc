// SPDX-License-Identifier: Apache-2.0
#include "common/http/connection.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http/http_limits.h"

namespace entente::http {
namespace {

using Phase = Connection::Phase;

// Both ends are the test's: nothing happens but what it does.
class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer_ = ends[1];
    connection_ = std::make_unique<Connection>(ends[0], nullptr, now_);
  }
  ~ConnectionTest() override { close(peer_); }

  void Send(const std::string& bytes) {
    EXPECT_EQ(write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    connection_->GoOn(now_);
  }
  std::string Received() {
    char buffer[65536];
    const ssize_t got = read(peer_, buffer, sizeof(buffer));
    return got <= 0 ? "" : std::string(buffer, static_cast<size_t>(got));
  }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  int peer_ = -1;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, RequestIsTakenOnceItIsWhole) {
  Send("GET / HTTP/1.1\r\n\r");
  EXPECT_EQ(connection_->TakeRequest(), "");
  Send("\nGET /2");
  EXPECT_EQ(connection_->TakeRequest(), "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(connection_->phase(), Phase::kAnswering);
  connection_->GiveAnswer({.bytes = "answer", .keeps_open = true}, nullptr, now_);
  EXPECT_EQ(Received(), "answer");
  EXPECT_EQ(connection_->phase(), Phase::kReading);
  Send(" HTTP/1.1\r\n\r\n");
  EXPECT_EQ(connection_->TakeRequest(), "GET /2 HTTP/1.1\r\n\r\n");
}

TEST_F(ConnectionTest, TricklingRequestDoesNotOutliveItsTime) {
  for (int i = 0; i < 10; ++i) {
    now_ += limits::kHttpRequestTimeMax / 9;
    Send("x");
    connection_->CloseIfOverdue(now_);
  }
  EXPECT_EQ(connection_->phase(), Phase::kClosed);
}

TEST_F(ConnectionTest, PeerThatReadsNothingIsGivenUp) {
  Send("GET / HTTP/1.1\r\n\r\n");
  connection_->TakeRequest();
  connection_->GiveAnswer({.bytes = std::string(8 << 20, 'x')}, nullptr, now_);
  EXPECT_EQ(connection_->phase(), Phase::kWriting);
  connection_->CloseIfOverdue(now_ + limits::kHttpWriteTimeMax);
  EXPECT_EQ(connection_->phase(), Phase::kClosed);
}

TEST_F(ConnectionTest, SilentStreamIsSentACommentAndEndsAfterItsTime) {
  Send("GET / HTTP/1.1\r\n\r\n");
  connection_->TakeRequest();
  const auto stream = std::make_shared<EventStream>([] {});
  connection_->GiveAnswer({.bytes = "head"}, stream, now_);
  EXPECT_EQ(Received(), "head");
  now_ += limits::kHttpEventSilenceMax;
  connection_->CloseIfOverdue(now_);
  EXPECT_EQ(Received(), ":\n\n");
  stream->Send("", "x");
  connection_->GoOn(now_);
  EXPECT_EQ(Received(), "data: x\n\n");
  connection_->CloseIfOverdue(now_ + limits::kHttpEventStreamTimeMax);
  EXPECT_FALSE(stream->open());
}

TEST_F(ConnectionTest, RefusedConnectionLingersSoThatTheRefusalIsRead) {
  Send("GET / HTTP/1.1\r\n\r\n");
  connection_->TakeRequest();
  connection_->GiveAnswer({.bytes = "no"}, nullptr, now_);
  EXPECT_EQ(connection_->phase(), Phase::kLingering);
  Send(std::string(100'000, 'x'));
  EXPECT_EQ(Received(), "no");
  connection_->CloseIfOverdue(now_ + limits::kHttpLingerTimeMax);
  EXPECT_EQ(connection_->phase(), Phase::kClosed);
}

}  // namespace
}  // namespace entente::http
