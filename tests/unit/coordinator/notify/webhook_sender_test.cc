// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/webhook_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"

namespace entente::notify {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(WebhookSignatureTest, IsThatOfTheStandardsExample) {
  ASSERT_OK_AND_ASSIGN(const std::string secret, ParseWebhookSecret(kSecret));

  EXPECT_EQ(WebhookSignature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                             absl::FromUnixSeconds(1'614'265'330), R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSecretTest, WhiteSpaceAroundItIsNoPartOfIt) {
  EXPECT_EQ(*ParseWebhookSecret(absl::StrCat("\n", kSecret, " \n")), *ParseWebhookSecret(kSecret));
}

TEST(WebhookSecretTest, WhatIsNoneIsRefusedWithoutShowingIt) {
  const std::string short_one = absl::StrCat("whsec_", absl::Base64Escape(std::string(23, 'x')));
  const std::string long_one = absl::StrCat("whsec_", absl::Base64Escape(std::string(65, 'x')));
  for (const std::string& text : {std::string(), std::string("hunter2"), std::string("whsec_"),
                                  std::string("whsec_!!!!"), short_one, long_one}) {
    EXPECT_THAT(ParseWebhookSecret(text),
                StatusIs(StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("make one with: echo whsec_$(openssl rand -base64 32)"),
                               Not(HasSubstr("hunter2")))));
  }
}

class WebhookSenderTest : public testing::Test {
 protected:
  WebhookSenderTest() : port_(server_.bind_to_any_port("127.0.0.1")) {
    server_.Post("/hook", [this](const httplib::Request& request, httplib::Response& response) {
      seen_ = request;
      response.status = answer_;
    });
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~WebhookSenderTest() override {
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }

  absl::Status SendAnswered(int status) {
    answer_ = status;
    WebhookSender sender({.http = {.url = {.is_https = false,
                                           .host = "127.0.0.1",
                                           .port = port_,
                                           .path = "/hook?token=T0ken"},
                                   .timeout = absl::Seconds(30)},
                          .secret = *ParseWebhookSecret(kSecret),
                          .coordinator = "spiffe://alliance.example/coordinator/main",
                          .clock = &clock_});
    return sender.Send({.id = "msg_1", .event = Event::kJobFinished, .reason = "all rounds done"});
  }

  SimulatedClock clock_;
  httplib::Server server_;
  const int port_;
  std::thread thread_;
  httplib::Request seen_;
  int answer_ = 200;
};

TEST_F(WebhookSenderTest, TheReceiverCanVerifyWhatItGets) {
  ASSERT_THAT(SendAnswered(200), IsOk());

  EXPECT_EQ(seen_.get_header_value("webhook-id"), "msg_1");
  EXPECT_EQ(seen_.get_header_value("webhook-timestamp"),
            absl::StrCat(absl::ToUnixSeconds(clock_.Now())));
  EXPECT_EQ(seen_.get_header_value("webhook-signature"),
            WebhookSignature(*ParseWebhookSecret(kSecret), "msg_1", clock_.Now(), seen_.body));
  EXPECT_THAT(seen_.body, HasSubstr(R"("event":"job_finished")"));
  EXPECT_EQ(seen_.get_header_value("Content-Type"), "application/json");
}

TEST_F(WebhookSenderTest, EveryAnswerOfTwoHundredIsAYes) {
  EXPECT_THAT(SendAnswered(202), IsOk());
  EXPECT_THAT(SendAnswered(204), IsOk());
}

TEST_F(WebhookSenderTest, AReceiverInTroubleIsToBeAskedAgain) {
  for (const int status : {408, 409, 425, 429, 500, 503}) {
    EXPECT_THAT(SendAnswered(status),
                StatusIs(StatusCode::kUnavailable, HasSubstr(absl::StrCat("answered ", status))));
  }
}

TEST_F(WebhookSenderTest, AReceiverThatWillNeverTakeItIsNotAskedAgainAndItsTokenNotTold) {
  for (const int status : {301, 400, 401, 404, 410}) {
    EXPECT_THAT(SendAnswered(status), StatusIs(StatusCode::kInvalidArgument,
                                               AllOf(HasSubstr(absl::StrCat("answered ", status)),
                                                     Not(HasSubstr("T0ken")))));
  }
  EXPECT_THAT(SendAnswered(308),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("redirects are not followed")));
}

}  // namespace
}  // namespace entente::notify
