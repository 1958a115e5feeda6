// SPDX-License-Identifier: Apache-2.0
#include "common/http/connection_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "absl/synchronization/notification.h"
#include "common/base/clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/common/http/http_client.h"

namespace entente::http {
namespace {

TEST(WakeupTest, ManyRousesAreOneUntilCleared) {
  Wakeup wakeup;
  pollfd wait = {wakeup.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 0), 0);
  wakeup.Rouse();
  wakeup.Rouse();
  EXPECT_EQ(poll(&wait, 1, 0), 1);
  wakeup.Clear();
  EXPECT_EQ(poll(&wait, 1, 0), 0);
  wakeup.Rouse();
  EXPECT_EQ(poll(&wait, 1, 0), 1);
}

TEST(ConnectionLoopTest, SlowAnswerKeepsNobodyElseWaiting) {
  const SystemClock clock;
  absl::Notification go_on;
  ASSERT_OK_AND_ASSIGN(ListeningSocket listener, ListeningSocket::Open("127.0.0.1:0"));
  const int port = listener.port();
  ConnectionLoop loop({.listener = std::move(listener),
                       .clock = &clock,
                       .answering = [&](const std::string& head, const std::string&) {
                         if (absl::StrContains(head, "slow")) go_on.WaitForNotification();
                         return Answer{.bytes = "answered"};
                       }});
  HttpClient slow(port);
  slow.Get("/slow");
  HttpClient quick(port);
  quick.Get("/");
  EXPECT_EQ(quick.ReadAll(), "answered");
  go_on.Notify();
  EXPECT_EQ(slow.ReadAll(), "answered");
}

TEST(ConnectionLoopTest, PeerThatLeavesBeforeItsAnswerIsForgotten) {
  const SystemClock clock;
  absl::Notification asked;
  absl::Notification go_on;
  ASSERT_OK_AND_ASSIGN(ListeningSocket listener, ListeningSocket::Open("127.0.0.1:0"));
  const int port = listener.port();
  ConnectionLoop loop({.listener = std::move(listener),
                       .clock = &clock,
                       .answering = [&](const std::string& head, const std::string&) {
                         if (!absl::StrContains(head, "slow")) return Answer{.bytes = "answered"};
                         asked.Notify();
                         go_on.WaitForNotification();
                         return Answer{.bytes = std::string(1 << 20, 'x')};
                       }});
  {
    HttpClient leaving(port);
    leaving.Get("/slow");
    asked.WaitForNotification();
  }
  go_on.Notify();
  HttpClient other(port);
  other.Get("/");
  EXPECT_EQ(other.ReadAll(), "answered");
}

}  // namespace
}  // namespace entente::http
