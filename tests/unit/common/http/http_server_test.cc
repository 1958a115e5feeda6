// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/http/http_limits.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/common/http/http_client.h"

namespace entente::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    Route("/alive", [](const Request&) { return TextResponse(200, "alive"); });
    Route("/who", [](const Request& request) {
      return TextResponse(200, ViewerKindName(request.viewer.kind));
    });
    options_.listen = "127.0.0.1:0";
    options_.clock = &clock_;
    options_.files = &files_;
  }

  void Route(const std::string& path, std::function<Response(const Request&)> answer,
             Viewer::Kind visible_to = Viewer::Kind::kPublic) {
    options_.routes.push_back(
        {.path = path, .visible_to = visible_to, .answer = std::move(answer)});
  }

  // "/events" greets whoever opens it, and its streams are in streams_.
  void RouteEvents() {
    Route("/events", [this](const Request&) {
      Response response;
      response.events = [this](std::shared_ptr<EventStream> stream) {
        stream->Send("hello", "you");
        absl::MutexLock lock(&streams_mu_);
        streams_.push_back(std::move(stream));
      };
      return response;
    });
  }

  // Both ends of each connection are this process's.
  static void AllowManyConnections() {
    rlimit files = {};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  }

  int Start() {
    auto server = HttpServer::Start(options_);
    ENTENTE_CHECK(server.ok());
    server_ = *std::move(server);
    return server_->port();
  }

  SimulatedClock clock_;
  PosixFileSystem files_;
  TempFolder folder_;
  HttpServer::Options options_;
  absl::Mutex streams_mu_;
  std::vector<std::shared_ptr<EventStream>> streams_;  // Guarded by streams_mu_ while it serves.
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersWithSecurityHeaders) {
  HttpClient client(Start());
  client.Get("/alive");
  EXPECT_THAT(
      client.ReadAnswer(),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\n\r\nalive\n"),
            HasSubstr("Content-Security-Policy: default-src 'self'"),
            HasSubstr("X-Content-Type-Options: nosniff"), HasSubstr("Cache-Control: no-store")));
}

TEST_F(HttpServerTest, OneConnectionCarriesManyRequests) {
  HttpClient client(Start());
  for (int i = 0; i < 20; ++i) {
    client.Get("/alive");
    EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(HttpServerTest, RequestsSentAtOnceAreAnsweredInOrder) {
  Route("/second", [](const Request&) { return TextResponse(200, "second"); });
  HttpClient client(Start());
  client.Send(
      "GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\nGET /second HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("alive"));
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("second"));
}

TEST_F(HttpServerTest, HeadIsAnsweredWithoutABody) {
  HttpClient client(Start());
  client.Send("HEAD /alive HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), AllOf(HasSubstr("Content-Length: 6"), Not(HasSubstr("alive"))));
}

TEST_F(HttpServerTest, QueryAndPathAreDecoded) {
  Route("/a b",
        [](const Request& request) { return TextResponse(200, request.QueryValue("name")); });
  HttpClient client(Start());
  client.Get("/a%20b?name=%3Cscript%3E");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("<script>"));
}

TEST_F(HttpServerTest, ExactPathsGoBeforePrefixesAndLongPrefixesBeforeShort) {
  options_.routes.push_back({.path = "/assets/",
                             .is_prefix = true,
                             .visible_to = Viewer::Kind::kPublic,
                             .answer = [](const Request&) { return TextResponse(200, "short"); }});
  options_.routes.push_back({.path = "/assets/fonts/",
                             .is_prefix = true,
                             .visible_to = Viewer::Kind::kPublic,
                             .answer = [](const Request&) { return TextResponse(200, "long"); }});
  Route("/assets/one", [](const Request&) { return TextResponse(200, "exact"); });
  HttpClient client(Start());
  client.Get("/assets/other");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("short"));
  client.Get("/assets/fonts/x");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("long"));
  client.Get("/assets/one");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("exact"));
}

TEST_F(HttpServerTest, UnknownPathIsASentence) {
  HttpClient client(Start());
  client.Get("/../../etc/passwd");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("there is no such page here")));
}

TEST_F(HttpServerTest, OtherMethodsAreRefused) {
  HttpClient client(Start());
  client.Send("DELETE /alive HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD"),
                    HasSubstr("only GET and HEAD are answered here, not DELETE")));
}

TEST_F(HttpServerTest, WhatIsNotHttpIsRefused) {
  HttpClient client(Start());
  client.Send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(client.ReadAll(),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("not an HTTP request")));
}

TEST_F(HttpServerTest, LargeBodyIsRefusedUnread) {
  HttpClient client(Start());
  client.Get("/alive", "Content-Length: 104857600\r\n");
  EXPECT_THAT(client.ReadAll(),
              AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("a body of 104857600 bytes")));
}

TEST_F(HttpServerTest, EndlessHeadersAreRefused) {
  HttpClient client(Start());
  client.Send("GET /alive HTTP/1.1\r\n");
  for (int i = 0; i < 40; ++i)
    client.Send(absl::StrCat("X-", i, ": ", std::string(1024, 'x'), "\r\n"));
  EXPECT_THAT(client.ReadAll(), AllOf(StartsWith("HTTP/1.1 431"), HasSubstr("longer than 32 KiB")));
}

TEST_F(HttpServerTest, LongAddressIsRefused) {
  HttpClient client(Start());
  client.Get(absl::StrCat("/", std::string(9000, 'a')));
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 414"));
}

TEST_F(HttpServerTest, ThrowingRouteIsAnError) {
  Route("/throws", [](const Request&) -> Response { throw std::runtime_error("secret"); });
  HttpClient client(Start());
  client.Get("/throws");
  EXPECT_THAT(client.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 500"), Not(HasSubstr("secret"))));
}

TEST_F(HttpServerTest, SilentConnectionIsClosedInTheEnd) {
  HttpClient client(Start());
  client.Get("/alive");
  client.ReadAnswer();
  client.Send("GET /ali");
  clock_.Advance(limits::kHttpIdleTimeMax + absl::Seconds(1));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreRefused) {
  AllowManyConnections();
  const int port = Start();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (size_t i = 0; i < limits::kHttpConnectionsMax; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port));
  }
  // The last one has been accepted once it is answered.
  clients.back()->Get("/alive");
  EXPECT_THAT(clients.back()->ReadAnswer(), StartsWith("HTTP/1.1 200"));
  HttpClient refused(port);
  EXPECT_THAT(refused.ReadAll(),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("too many connections")));
  // Those that are there are not disturbed.
  clients.front()->Get("/alive");
  EXPECT_THAT(clients.front()->ReadAnswer(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, EventsReachAHundredBrowsersWhileOthersAreAnswered) {
  RouteEvents();
  const int port = Start();
  std::vector<std::unique_ptr<HttpClient>> browsers;
  for (int i = 0; i < 100; ++i) {
    browsers.push_back(std::make_unique<HttpClient>(port));
    browsers.back()->Get("/events");
    EXPECT_THAT(browsers.back()->ReadUntil("data: you\n\n"),
                AllOf(HasSubstr("Content-Type: text/event-stream"), HasSubstr("event: hello\n")));
  }
  {
    absl::MutexLock lock(&streams_mu_);
    ASSERT_EQ(streams_.size(), 100);
    for (const auto& stream : streams_) EXPECT_TRUE(stream->Send("round", "1\n2", "7"));
  }
  for (const auto& browser : browsers) {
    EXPECT_EQ(browser->ReadUntil("2\n\n"), "id: 7\nevent: round\ndata: 1\ndata: 2\n\n");
  }
  HttpClient other(port);
  other.Get("/alive");
  EXPECT_THAT(other.ReadAnswer(), HasSubstr("alive"));
  server_->Stop();
  for (const auto& stream : streams_) EXPECT_FALSE(stream->open());
}

TEST_F(HttpServerTest, EventStreamsBeyondTheLimitAreRefusedUntilOneEnds) {
  AllowManyConnections();
  RouteEvents();
  const int port = Start();
  std::vector<std::unique_ptr<HttpClient>> browsers;
  for (int i = 0; i < limits::kHttpEventStreamsMax; ++i) {
    browsers.push_back(std::make_unique<HttpClient>(port));
    browsers.back()->Get("/events");
    EXPECT_THAT(browsers.back()->ReadUntil("data: you\n\n"), StartsWith("HTTP/1.1 200"));
  }

  HttpClient one_too_many(port);
  one_too_many.Get("/events");
  EXPECT_THAT(one_too_many.ReadUntil("try again later"),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("too many event streams are open")));
  {
    absl::MutexLock lock(&streams_mu_);
    ASSERT_EQ(streams_.size(), static_cast<size_t>(limits::kHttpEventStreamsMax));
    EXPECT_TRUE(streams_.front()->Send("round", "1"));
  }
  EXPECT_EQ(browsers.front()->ReadUntil("1\n\n"), "event: round\ndata: 1\n\n");
  HttpClient other(port);
  other.Get("/alive");
  EXPECT_THAT(other.ReadAnswer(), HasSubstr("alive"));

  browsers.pop_back();
  bool is_let_in = false;
  for (int i = 0; i < 1000 && !is_let_in; ++i) {  // Until the server has seen that it closed.
    HttpClient again(port);
    again.Get("/events");
    is_let_in = absl::StartsWith(again.ReadUntil("\r\n\r\n"), "HTTP/1.1 200");
  }
  EXPECT_TRUE(is_let_in);
  server_->Stop();
}

TEST_F(HttpServerTest, BrowserThatStopsReadingIsCut) {
  std::shared_ptr<EventStream> stream;
  absl::Notification opened;
  Route("/events", [&](const Request&) {
    Response response;
    response.events = [&](std::shared_ptr<EventStream> opened_stream) {
      stream = std::move(opened_stream);
      opened.Notify();
    };
    return response;
  });
  HttpClient browser(Start(), /*receive_bytes=*/4096);
  browser.Get("/events");
  opened.WaitForNotification();
  const std::string event = EventText("", std::string(10'000, 'x'));
  int sent = 0;
  while (stream->SendText(event) && sent < 10'000) ++sent;
  EXPECT_LT(sent, 10'000);
  EXPECT_FALSE(stream->open());
}

TEST_F(HttpServerTest, ClosedBrowserEndsItsStream) {
  std::shared_ptr<EventStream> stream;
  absl::Notification opened;
  Route("/events", [&](const Request&) {
    Response response;
    response.events = [&](std::shared_ptr<EventStream> opened_stream) {
      stream = std::move(opened_stream);
      opened.Notify();
    };
    return response;
  });
  const int port = Start();
  {
    HttpClient browser(port);
    browser.Get("/events");
    opened.WaitForNotification();
  }
  // The server has seen the end when it has answered something that came later, twice.
  for (int i = 0; i < 1000 && stream->open(); ++i) {
    HttpClient other(port);
    other.Get("/alive");
    other.ReadAnswer();
  }
  EXPECT_FALSE(stream->open());
}

TEST_F(HttpServerTest, OnThisMachineTheViewerIsAnOperator) {
  HttpClient client(Start());
  client.Get("/who");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("\r\n\r\noperator\n"));
}

TEST_F(HttpServerTest, PageOfAnotherSiteIsRefusedOnThisMachine) {
  HttpClient client(Start());
  client.Send("GET /who HTTP/1.1\r\nHost: evil.example:7480\r\n\r\n");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("ask by 127.0.0.1 or localhost")));
}

TEST_F(HttpServerTest, TokenMakesAnOperatorAndAWrongOneNobody) {
  options_.token_file = folder_.Write("token", "0123456789abcdef\n");
  chmod(options_.token_file.c_str(), 0600);
  Route(
      "/secret", [](const Request&) { return TextResponse(200, "secret"); },
      Viewer::Kind::kOperator);
  HttpClient client(Start());
  client.Get("/who", "Authorization: Bearer 0123456789abcdef\r\n");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("\r\n\r\noperator\n"));
  client.Get("/who");
  EXPECT_THAT(client.ReadAnswer(), HasSubstr("\r\n\r\npublic\n"));
  client.Get("/who", "Authorization: Bearer 0123456789abcdee\r\n");
  EXPECT_THAT(client.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("not any more")));
  client.Get("/secret");
  EXPECT_THAT(client.ReadAnswer(),
              AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("WWW-Authenticate: Basic"),
                    HasSubstr("this is for operators"), Not(HasSubstr("secret"))));
}

TEST_F(HttpServerTest, RouteThatIgnoresItsViewerAnswersWhoeverShowsAWrongToken) {
  options_.token_file = folder_.Write("token", "0123456789abcdef\n");
  chmod(options_.token_file.c_str(), 0600);
  options_.routes.push_back(
      {.path = "/healthz",
       .visible_to = Viewer::Kind::kPublic,
       .ignores_viewer = true,
       .answer = [](const Request&) { return TextResponse(200, "healthy"); }});
  HttpClient client(Start());
  const std::string wrong = "Authorization: Bearer 0123456789abcdee\r\n";

  client.Get("/healthz", wrong);
  EXPECT_THAT(client.ReadAnswer(), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("healthy")));
  client.Get("/who", wrong);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 401"));
  client.Get("/nothing", wrong);
  EXPECT_THAT(client.ReadAnswer(), StartsWith("HTTP/1.1 401"));
}

TEST_F(HttpServerTest, ExposedWithoutTlsIsRefusedAtTheStart) {
  options_.listen = "0.0.0.0:0";
  EXPECT_THAT(HttpServer::Start(options_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("`http.listen` is 0.0.0.0:0, which other machines can reach; "
                                 "that needs `http.tls`")));
}

TEST_F(HttpServerTest, PortInUseIsUnavailable) {
  options_.listen = absl::StrCat("127.0.0.1:", Start());
  EXPECT_THAT(HttpServer::Start(options_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("Address already in use")));
}

TEST_F(HttpServerTest, UrlNamesTheChosenPort) {
  const int port = Start();
  EXPECT_EQ(server_->url(), absl::StrCat("http://127.0.0.1:", port, "/"));
}

}  // namespace
}  // namespace entente::http
