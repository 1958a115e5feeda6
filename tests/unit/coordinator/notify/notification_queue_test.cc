// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notification_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/notify/recording_sender.h"

namespace entente::notify {
namespace {

using ::testing::ElementsAre;

class NotificationQueueTest : public testing::Test {
 protected:
  std::unique_ptr<NotificationQueue> Queue(uint32_t tries_max = 3, size_t waiting_max = 10,
                                           absl::Duration pause = absl::Milliseconds(1)) {
    return std::make_unique<NotificationQueue>(
        std::make_unique<RecordingSender>(&received_),
        NotificationQueue::Options{.tries_max = tries_max,
                                   .waiting_max = waiting_max,
                                   .pause_first = pause,
                                   .pause_max = 2 * pause},
        &random_);
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const Notification& each : received_.All()) ids.push_back(each.id);
    return ids;
  }
  void SetHangs() {
    absl::MutexLock lock(&received_.mu);
    received_.hangs = true;
  }
  void SetAnswers(std::vector<absl::Status> answers) {
    absl::MutexLock lock(&received_.mu);
    received_.answers = std::move(answers);
  }

  SystemRandomSource random_;
  Received received_;
};

TEST_F(NotificationQueueTest, SendsInOrder) {
  const auto queue = Queue();

  for (const char* id : {"a", "b", "c"}) queue->Add({.id = id});
  queue->Stop(absl::Seconds(30));

  EXPECT_THAT(Ids(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(queue->counts().sent, 3);
}

TEST_F(NotificationQueueTest, TriesAgainUnderTheSameIdUntilItIsTaken) {
  SetAnswers({absl::UnavailableError("500"), absl::DeadlineExceededError("hung")});
  const auto queue = Queue();

  queue->Add({.id = "a"});
  queue->Add({.id = "b"});
  queue->Stop(absl::Seconds(30));

  EXPECT_THAT(Ids(), ElementsAre("a", "a", "a", "b"));
  EXPECT_EQ(queue->counts().sent, 2);
}

TEST_F(NotificationQueueTest, GivesUpAfterSoManyTriesAndGoesOn) {
  SetAnswers(std::vector<absl::Status>(3, absl::UnavailableError("500")));
  const auto queue = Queue(/*tries_max=*/3);

  queue->Add({.id = "a"});
  queue->Add({.id = "b"});
  queue->Stop(absl::Seconds(30));

  EXPECT_THAT(Ids(), ElementsAre("a", "a", "a", "b"));
  EXPECT_EQ(queue->counts().given_up, 1);
  EXPECT_EQ(queue->counts().sent, 1);
}

TEST_F(NotificationQueueTest, WhatWillNeverBeTakenIsNotTriedAgain) {
  SetAnswers({absl::InvalidArgumentError("404")});
  const auto queue = Queue();

  queue->Add({.id = "a"});
  queue->Stop(absl::Seconds(30));

  EXPECT_THAT(Ids(), ElementsAre("a"));
  EXPECT_EQ(queue->counts().given_up, 1);
}

TEST_F(NotificationQueueTest, WhileTheReceiverHangsTheOldestThatWaitAreDroppedAndAddingNeverWaits) {
  SetHangs();
  const auto queue = Queue(/*tries_max=*/3, /*waiting_max=*/2);
  queue->Add({.id = "sending"});
  ASSERT_TRUE(received_.WaitForTries(1));

  for (const char* id : {"a", "b", "c", "d"}) queue->Add({.id = id});
  EXPECT_EQ(queue->counts().dropped, 2);
  {
    absl::MutexLock lock(&received_.mu);
    received_.hangs = false;
  }
  queue->Stop(absl::Seconds(30));

  EXPECT_THAT(Ids(), ElementsAre("sending", "c", "d"));
}

TEST_F(NotificationQueueTest, AStopBreaksOffAReceiverThatHangs) {
  SetHangs();
  const auto queue = Queue();
  queue->Add({.id = "a"});
  queue->Add({.id = "b"});
  ASSERT_TRUE(received_.WaitForTries(1));

  queue->Stop(absl::Milliseconds(1));

  EXPECT_THAT(Ids(), ElementsAre("a"));
  EXPECT_EQ(queue->counts().dropped, 1);
  EXPECT_EQ(queue->counts().given_up, 1);
}

TEST_F(NotificationQueueTest, AStopDoesNotSitOutAPause) {
  SetAnswers({absl::UnavailableError("500")});
  const auto queue = Queue(/*tries_max=*/3, /*waiting_max=*/2, /*pause=*/absl::Hours(1));
  queue->Add({.id = "a"});
  ASSERT_TRUE(received_.WaitForTries(1));

  queue->Stop(absl::ZeroDuration());

  EXPECT_EQ(queue->counts().given_up, 1);
}

TEST_F(NotificationQueueTest, AfterAStopNothingIsTaken) {
  const auto queue = Queue();
  queue->Stop(absl::ZeroDuration());

  queue->Add({.id = "late"});
  queue->Stop(absl::ZeroDuration());

  EXPECT_THAT(Ids(), ElementsAre());
  EXPECT_EQ(queue->counts().dropped, 1);
}

}  // namespace
}  // namespace entente::notify
