// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace entente::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    network_.SetListener([this](const std::string&, int, std::unique_ptr<Stream> stream) {
      server_ = std::move(stream);
      server_->Listen(
          {.on_message = [this](std::string message) { at_server_.push_back(std::move(message)); },
           .on_end =
               [this](const absl::Status& status) {
                 at_server_.push_back(status.ok() ? "end" : "broken");
               }});
    });
  }

  void Connect() {
    client_ = network_.Connect(1, "Attach");
    client_->Listen(
        {.on_message = [this](std::string message) { at_client_.push_back(std::move(message)); },
         .on_end =
             [this](const absl::Status& status) {
               at_client_.push_back(absl::StrCat("end ", status.message()));
             }});
  }
  void RunFor(absl::Duration time) {
    bool is_over = false;
    scheduler_.After(time, [&is_over] { is_over = true; });
    while (!is_over) ASSERT_TRUE(scheduler_.RunNext());
  }

  Scheduler scheduler_{1};
  Network network_{&scheduler_};
  std::vector<std::string> at_server_;
  std::vector<std::string> at_client_;
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
};

TEST_F(NetworkTest, MessagesArriveInOrderAndTheEndComesLast) {
  network_.faults.message_delayed = 0.5;
  Connect();
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(absl::StrCat(i));
    client_->Send(sent.back());
  }
  client_->End(absl::OkStatus());
  sent.push_back("end");

  RunFor(absl::Hours(1));

  EXPECT_EQ(at_server_, sent);
}

TEST_F(NetworkTest, AServersStatusReachesWhoListens) {
  Connect();
  RunFor(absl::Seconds(1));
  server_->Send("answer");
  server_->End(absl::NotFoundError("no such job"));
  server_.reset();

  RunFor(absl::Minutes(10));

  EXPECT_THAT(at_client_, ElementsAre("answer", "end no such job"));
}

TEST_F(NetworkTest, WhatIsSentAfterABreakIsLostAndBothEndsLearnOfIt) {
  Connect();
  client_->Send("before");
  RunFor(absl::Seconds(1));
  network_.faults.message_breaks = 1;
  client_->Send("lost");
  client_->Send("lost too");

  RunFor(absl::Minutes(10));

  EXPECT_THAT(at_server_, ElementsAre("before", "broken"));
  EXPECT_THAT(at_client_, ElementsAre("end the connection broke"));
  EXPECT_EQ(network_.breaks(), 1U);
}

TEST_F(NetworkTest, OldMessagesMayArriveAfterThoseOfANewConnection) {
  Connect();
  RunFor(absl::Seconds(1));
  const std::unique_ptr<Stream> old_server = std::move(server_);
  network_.faults.message_delayed = 1;
  client_->Send("old");
  network_.faults.message_delayed = 0;
  client_.reset();
  Connect();
  client_->Send("new");

  RunFor(absl::Seconds(40));

  const std::vector<std::string>& heard = at_server_;
  const auto place = [&heard](const std::string& text) {
    return std::find(heard.begin(), heard.end(), text) - heard.begin();
  };
  EXPECT_LT(place("new"), place("old"));
}

TEST_F(NetworkTest, APartitionHoldsMessagesBackUntilItHeals) {
  Connect();
  RunFor(absl::Seconds(1));
  network_.Partition(1, scheduler_.now() + absl::Minutes(2));
  client_->Send("late");

  RunFor(absl::Minutes(1));
  EXPECT_THAT(at_server_, IsEmpty());
  RunFor(absl::Minutes(2));

  EXPECT_THAT(at_server_, ElementsAre("late"));
}

TEST_F(NetworkTest, NobodyListensAndTheCallerIsTold) {
  network_.SetListener(nullptr);
  Connect();
  client_->Send("hello");

  RunFor(absl::Seconds(1));

  EXPECT_THAT(at_client_, ElementsAre("end the connection broke"));
}

TEST_F(NetworkTest, WhoSendsToAnEndThatIsGoneIsTold) {
  Connect();
  RunFor(absl::Seconds(1));
  server_.reset();
  client_->Send("anybody?");

  RunFor(absl::Seconds(1));

  EXPECT_THAT(at_client_, ElementsAre("end the connection broke"));
}

}  // namespace
}  // namespace entente::sim
