// SPDX-License-Identifier: Apache-2.0
#include "common/http/post_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "common/base/clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/common/http/raw_receiver.h"
#include "tests/unit/common/identity/test_certificates.h"

namespace entente::http {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLongEnough = absl::Seconds(30);

// A real server on a free port of loopback, which runs until the test ends.
class Served {
 public:
  explicit Served(std::unique_ptr<httplib::Server> server)
      : server_(std::move(server)), port_(server_->bind_to_any_port("127.0.0.1")) {
    thread_ = std::thread([this] { server_->listen_after_bind(); });
  }
  ~Served() {
    while (!server_->is_running()) std::this_thread::yield();
    server_->stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  const std::unique_ptr<httplib::Server> server_;
  const int port_;
  std::thread thread_;
};

HttpUrl UrlOf(int port, const std::string& path = "/hook", bool is_https = false) {
  return {.is_https = is_https, .host = "127.0.0.1", .port = port, .path = path};
}

PostClient::Options OptionsFor(const HttpUrl& url, absl::Duration timeout = kLongEnough) {
  return {.url = url, .authority_file = "", .timeout = timeout, .user_agent = "test/1"};
}

absl::StatusOr<int> PostTo(const HttpUrl& url, absl::Duration timeout = kLongEnough) {
  return PostClient(OptionsFor(url, timeout)).Post({}, "application/json", "{}");
}

TEST(PostClientTest, PostsBodyAndHeadersAndGivesTheStatus) {
  auto server = std::make_unique<httplib::Server>();
  httplib::Request seen;
  server->Post("/hook", [&seen](const httplib::Request& request, httplib::Response& response) {
    seen = request;
    response.status = 202;
  });
  const Served served(std::move(server));
  PostClient client(OptionsFor(UrlOf(served.port(), "/hook?token=x")));

  const auto status = client.Post({{"webhook-id", "msg_1"}}, "application/json", "{\"a\":1}");

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, 202);
  EXPECT_EQ(seen.body, "{\"a\":1}");
  EXPECT_EQ(seen.get_param_value("token"), "x");
  EXPECT_EQ(seen.get_header_value("webhook-id"), "msg_1");
  EXPECT_EQ(seen.get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(seen.get_header_value("User-Agent"), "test/1");
  EXPECT_EQ(seen.get_header_value("Host"), absl::StrCat("127.0.0.1:", served.port()));
}

TEST(PostClientTest, AFailureOfTheReceiverIsAnAnswer) {
  auto server = std::make_unique<httplib::Server>();
  server->Post("/hook",
               [](const httplib::Request&, httplib::Response& response) { response.status = 500; });
  const Served served(std::move(server));

  const auto status = PostTo(UrlOf(served.port()));

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, 500);
}

TEST(PostClientTest, RedirectsAreNotFollowed) {
  auto server = std::make_unique<httplib::Server>();
  std::atomic<int> elsewhere{0};
  server->Post("/hook", [](const httplib::Request&, httplib::Response& response) {
    response.set_redirect("/elsewhere", 307);
  });
  const auto count = [&elsewhere](const httplib::Request&, httplib::Response&) { ++elsewhere; };
  server->Post("/elsewhere", count);
  server->Get("/elsewhere", count);
  const Served served(std::move(server));

  const auto status = PostTo(UrlOf(served.port()));

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, 307);
  EXPECT_EQ(elsewhere, 0);
}

TEST(PostClientTest, NobodyThereIsSaidWithoutThePath) {
  const int port = RawReceiver(RawReceiver::Manner::kHangs).port();  // It is gone again.

  EXPECT_THAT(PostTo(UrlOf(port, "/T0ken")),
              StatusIs(StatusCode::kUnavailable,
                       AllOf(HasSubstr("cannot be connected to"), Not(HasSubstr("T0ken")))));
}

TEST(PostClientTest, AReceiverThatClosesIsUnavailable) {
  const RawReceiver receiver(RawReceiver::Manner::kCloses);

  EXPECT_THAT(PostTo(UrlOf(receiver.port())), StatusIs(StatusCode::kUnavailable));
}

TEST(PostClientTest, AReceiverThatHangsIsLeftInTime) {
  const RawReceiver receiver(RawReceiver::Manner::kHangs);

  EXPECT_THAT(PostTo(UrlOf(receiver.port()), absl::Milliseconds(200)),
              StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("did not answer in time")));
}

TEST(PostClientTest, AReceiverThatSendsAByteNowAndThenIsLeftInTime) {
  const RawReceiver receiver(RawReceiver::Manner::kDrips);

  EXPECT_THAT(PostTo(UrlOf(receiver.port()), absl::Milliseconds(500)),
              StatusIs(StatusCode::kDeadlineExceeded));
}

TEST(PostClientTest, AReceiverWhoseHeadNeverEndsIsCutOff) {
  const RawReceiver receiver(RawReceiver::Manner::kEndlessHead);

  EXPECT_THAT(PostTo(UrlOf(receiver.port())),
              StatusIs(StatusCode::kUnavailable, HasSubstr("more than an answer may have")));
}

TEST(PostClientTest, OfAnAnswerOfAHundredMegabytesOnlyTheStatusCounts) {
  auto server = std::make_unique<httplib::Server>();
  std::atomic<size_t> sent{0};
  server->Post("/hook", [&sent](const httplib::Request&, httplib::Response& response) {
    response.set_content_provider(
        100 << 20, "text/plain", [&sent](size_t, size_t length, httplib::DataSink& sink) {
          const std::string block(std::min<size_t>(length, 64 << 10), 'x');
          sent += block.size();
          return sink.write(block.data(), block.size());
        });
  });
  size_t written = 0;
  {
    const Served served(std::move(server));
    const auto status = PostTo(UrlOf(served.port()));
    ASSERT_THAT(status, IsOk());
    EXPECT_EQ(*status, 200);
  }
  written = sent;
  EXPECT_LT(written, size_t{50} << 20);  // What the sockets' buffers hold, not all of it.
}

TEST(PostClientTest, WhatIsUnderWayIsCancelledAndNothingIsPostedAfterwards) {
  const RawReceiver receiver(RawReceiver::Manner::kHangs);
  PostClient client(OptionsFor(UrlOf(receiver.port()), absl::Hours(1)));
  absl::StatusOr<int> status = 0;
  std::thread posting([&] { status = client.Post({}, "application/json", "{}"); });
  receiver.WaitForConnection();

  client.Cancel();
  posting.join();

  EXPECT_THAT(status, StatusIs(StatusCode::kCancelled));
  EXPECT_THAT(client.Post({}, "application/json", "{}"), StatusIs(StatusCode::kCancelled));
}

class PostClientTlsTest : public testing::Test {
 protected:
  PostClientTlsTest() : authority_(MakeAuthority("receiver.example", clock_.Now())) {
    folder_.Write("authority.pem", authority_.certificate_pem);
  }

  // Posts to https://localhost, where a server has a certificate for `dns_name`.
  absl::StatusOr<int> Post(const std::string& dns_name, const std::string& authority_file) {
    const CertificateAndKey made =
        *IssueCertificate(authority_,
                          {.spiffe_id = "spiffe://receiver.example/coordinator/receiver",
                           .dns_names = {dns_name},
                           .validity = absl::Hours(24)},
                          clock_.Now());
    const std::string certificate = folder_.Write("server.crt", made.certificate_pem);
    const std::string key = folder_.Write("server.key", made.private_key_pem);
    auto server = std::make_unique<httplib::SSLServer>(certificate.c_str(), key.c_str());
    server->Post("/hook", [](const httplib::Request&, httplib::Response&) {});
    const Served served(std::move(server));
    PostClient::Options options = OptionsFor(UrlOf(served.port(), "/hook", /*is_https=*/true));
    options.url.host = "localhost";
    options.authority_file = authority_file;
    return PostClient(options).Post({}, "application/json", "{}");
  }

  const TempFolder folder_;
  const SystemClock clock_;
  const CertificateAndKey authority_;
};

TEST_F(PostClientTlsTest, ACertificateOfTheNamedAuthorityIsTrusted) {
  const auto status = Post("localhost", folder_.File("authority.pem"));

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, 200);
}

TEST_F(PostClientTlsTest, ACertificateOfAnotherAuthorityIsRefused) {
  const std::string other =
      folder_.Write("other.pem", MakeAuthority("other.example", clock_.Now()).certificate_pem);

  EXPECT_THAT(Post("localhost", other), StatusIs(StatusCode::kFailedPrecondition,
                                                 HasSubstr("none of the trusted authorities")));
  EXPECT_THAT(Post("localhost", ""), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(PostClientTlsTest, ACertificateOfAnotherHostIsRefused) {
  EXPECT_THAT(Post("elsewhere.example", folder_.File("authority.pem")),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("another host's")));
}

}  // namespace
}  // namespace entente::http
