// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/notify/recording_sender.h"

namespace entente::notify {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kGoneAfter = absl::Minutes(1);
const WorkerId kWorker("fr-lab/w");

// Timers of a simulated clock; the test moves both.
class ManualTimers final : public Timers {
 public:
  explicit ManualTimers(SimulatedClock* clock) : clock_(*clock) {}

  TimerId RunAt(absl::Time when, std::function<void()> callback) override {
    armed_.emplace(when, std::move(callback));
    return ++count_;
  }
  void Cancel(TimerId) override {}

  void Advance(absl::Duration by) {
    clock_.Advance(by);
    while (!armed_.empty() && armed_.begin()->first <= clock_.Now()) {
      const auto callback = armed_.begin()->second;
      armed_.erase(armed_.begin());
      callback();
    }
  }

 private:
  SimulatedClock& clock_;
  std::multimap<absl::Time, std::function<void()>> armed_;
  TimerId count_ = 0;
};

class SilentConnection final : public members::WorkerConnection {
 public:
  void Send(const v1::CoordinatorMessage&) override {}
  void Close(const absl::Status&) override {}
};

class NotifierTest : public testing::Test {
 protected:
  NotifierTest() {
    Make({Event::kJobFinished, Event::kJobFailed, Event::kJobCancelled, Event::kRoundAborted,
          Event::kWorkerGone});
    workers_.SetListener(
        [this](const WorkerId& worker, bool attached) { notifier_->OnWorker(worker, attached); });
  }

  void Make(std::set<Event> events) {
    std::vector<std::unique_ptr<NotificationQueue>> queues;
    queues.push_back(std::make_unique<NotificationQueue>(
        std::make_unique<RecordingSender>(&received_), NotificationQueue::Options{}, &random_));
    notifier_ = Notifier::Create({.clock = &clock_,
                                  .steady_clock = &clock_,
                                  .random = &random_,
                                  .pauses = &timers_,
                                  .workers = &workers_},
                                 {.events = std::move(events), .worker_gone_after = kGoneAfter},
                                 std::move(queues));
  }

  void Attach(std::optional<v1::Away> away = std::nullopt) {
    connection_ = std::make_shared<SilentConnection>();
    ASSERT_THAT(workers_.Attach(kWorker, {.away = away}, connection_), IsOk());
  }
  void Detach() { workers_.Detach(kWorker, connection_.get(), "it was silent"); }

  void Happen(jobs::JobStatus status, std::optional<rounds::RoundPhase> ended_round) {
    const engine::JobDescription job{
        .id = JobId("mnist-k3x9qa"),
        .trace = *TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")};
    jobs::JobState state;
    state.status = status;
    state.reason = "the job's reason";
    state.round.round_index = 4;
    state.round.attempt = 2;
    std::shared_ptr<rounds::RoundState> round;
    if (ended_round.has_value()) {
      round = std::make_shared<rounds::RoundState>();
      round->phase = *ended_round;
      round->round_index = 2;
      round->attempt = 3;
      round->reason = "the round's reason";
    }
    notifier_->OnJobChange({.job = job, .state = state, .ended_round = round});
  }

  // Everything that was told.
  std::vector<Notification> Told() {
    notifier_->Stop(absl::Seconds(30));
    return received_.All();
  }

  SimulatedClock clock_;
  SystemRandomSource random_;
  ManualTimers timers_{&clock_};
  members::WorkerRegistry workers_{{{MemberId("fr-lab"), "", "FR", "fr-lab.example"}}, &clock_, 10};
  Received received_;
  std::shared_ptr<Notifier> notifier_;
  std::shared_ptr<SilentConnection> connection_;
};

TEST_F(NotifierTest, EachEndOfAJobIsToldWithItsReasonAndTrace) {
  Happen(jobs::JobStatus::kCompleted, rounds::RoundPhase::kCommitted);
  Happen(jobs::JobStatus::kFailed, std::nullopt);
  Happen(jobs::JobStatus::kCancelled, std::nullopt);

  const std::vector<Notification> told = Told();

  ASSERT_THAT(told, SizeIs(3));
  EXPECT_EQ(told[0].event, Event::kJobFinished);
  EXPECT_EQ(told[1].event, Event::kJobFailed);
  EXPECT_EQ(told[2].event, Event::kJobCancelled);
  EXPECT_EQ(told[0].job.value(), "mnist-k3x9qa");
  EXPECT_EQ(told[0].reason, "the job's reason");
  for (const Notification& end : told) {
    EXPECT_EQ(end.round_index, 4u);  // The job's last.
    EXPECT_EQ(end.attempt, 2u);
  }
  EXPECT_EQ(told[0].trace, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(told[0].at, clock_.Now());
  EXPECT_NE(told[0].id, told[1].id);
}

TEST_F(NotifierTest, AnAbortedAttemptIsToldWithItsRoundAndACommittedOneIsNot) {
  Happen(jobs::JobStatus::kRunning, rounds::RoundPhase::kCommitted);
  Happen(jobs::JobStatus::kRunning, std::nullopt);
  Happen(jobs::JobStatus::kRunning, rounds::RoundPhase::kAborted);

  const std::vector<Notification> told = Told();

  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].event, Event::kRoundAborted);
  EXPECT_EQ(told[0].round_index, 2u);
  EXPECT_EQ(told[0].attempt, 3u);
  EXPECT_EQ(told[0].reason, "the round's reason");
}

TEST_F(NotifierTest, WhatNobodyAskedForIsNotTold) {
  Make({Event::kJobFailed});
  Happen(jobs::JobStatus::kCompleted, rounds::RoundPhase::kAborted);
  Attach();
  Detach();
  timers_.Advance(kGoneAfter);

  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(NotifierTest, AWorkerIsGoneWhenItHasNotComeBackInTime) {
  Attach();
  Detach();
  timers_.Advance(kGoneAfter - absl::Seconds(1));
  EXPECT_THAT(received_.All(), IsEmpty());
  timers_.Advance(absl::Seconds(1));

  const std::vector<Notification> told = Told();

  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].event, Event::kWorkerGone);
  EXPECT_EQ(told[0].worker, kWorker);
  EXPECT_EQ(told[0].reason, "not attached for 1m: it was silent");
  EXPECT_THAT(told[0].id, HasSubstr("msg_"));
}

TEST_F(NotifierTest, AWorkerThatComesBackIsNotGone) {
  Attach();
  Detach();
  timers_.Advance(kGoneAfter / 2);
  Attach();
  timers_.Advance(kGoneAfter);
  // Its second absence is counted from its own beginning.
  Detach();
  timers_.Advance(kGoneAfter / 2);

  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(NotifierTest, AWorkerThatSaidItWouldBeAwayMayGo) {
  Attach(v1::Away());
  Detach();
  timers_.Advance(kGoneAfter);

  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(NotifierTest, WhenTheCoordinatorLeavesNoWorkerIsGone) {
  Attach();
  notifier_->IgnoreWorkers();
  Detach();
  timers_.Advance(kGoneAfter);

  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(NotifierTest, ATimerThatOutlivesItDoesNothing) {
  Attach();
  Detach();
  workers_.SetListener([](const WorkerId&, bool) {});
  notifier_.reset();

  timers_.Advance(kGoneAfter);

  EXPECT_THAT(received_.All(), IsEmpty());
}

}  // namespace
}  // namespace entente::notify
