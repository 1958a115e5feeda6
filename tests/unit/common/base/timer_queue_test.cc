// SPDX-License-Identifier: Apache-2.0
#include "common/base/timer_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/support/eventually.h"

namespace entente {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kTimerWait = absl::Seconds(30);

// The machine's clock, until somebody sets it.
class JumpingClock final : public Clock {
 public:
  absl::Time Now() const override {
    const absl::Time now = real_.Now() + absl::Hours(hours_ahead_.load());
    ++asked_count_;  // Last: a jump that is made because of it does not change the answer.
    return now;
  }
  void JumpHours(int hours) { hours_ahead_ += hours; }
  int asked_count() const { return asked_count_; }

 private:
  const SystemClock real_;
  std::atomic<int> hours_ahead_{0};
  mutable std::atomic<int> asked_count_{0};
};

class TimerQueueTest : public ::testing::Test {
 protected:
  SystemClock clock_;
};

TEST_F(TimerQueueTest, CallbackRunsAtItsTimeAndNotBefore) {
  TimerQueue timers(&clock_);
  absl::Notification ran;
  absl::Time ran_at;
  const absl::Time when = clock_.Now() + absl::Milliseconds(5);

  timers.RunAt(when, [&] {
    ran_at = clock_.Now();
    ran.Notify();
  });

  ASSERT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
  EXPECT_GE(ran_at, when);
}

TEST_F(TimerQueueTest, TimeThatIsPastRunsAtOnce) {
  TimerQueue timers(&clock_);
  absl::Notification ran;

  timers.RunAt(absl::InfinitePast(), [&] { ran.Notify(); });

  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, CallbacksRunInTheOrderOfTheirTimes) {
  JumpingClock clock;
  absl::Notification all_ran;
  std::vector<int> order;  // Touched by the queue's thread only, until it has notified.
  TimerQueue timers(&clock);
  const absl::Time now = clock.Now();
  timers.RunAt(now + absl::Hours(3), [&] {
    order.push_back(3);
    all_ran.Notify();
  });
  timers.RunAt(now + absl::Hours(2), [&] { order.push_back(2); });
  timers.RunAt(now + absl::Hours(1), [&] { order.push_back(1); });

  clock.JumpHours(4);

  ASSERT_TRUE(all_ran.WaitForNotificationWithTimeout(kTimerWait));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(TimerQueueTest, CallbacksForOneTimeRunInTheOrderAdded) {
  TimerQueue timers(&clock_);
  absl::Notification all_ran;
  std::vector<int> order;
  const absl::Time when = clock_.Now() + absl::Milliseconds(10);

  timers.RunAt(when, [&] { order.push_back(1); });
  timers.RunAt(when, [&] { order.push_back(2); });
  timers.RunAt(when, [&] { all_ran.Notify(); });

  ASSERT_TRUE(all_ran.WaitForNotificationWithTimeout(kTimerWait));
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST_F(TimerQueueTest, EarlierTimerOvertakesOneThatIsWaitedFor) {
  TimerQueue timers(&clock_);
  absl::Notification ran;
  timers.RunAt(clock_.Now() + absl::Hours(1), [] { FAIL() << "an hour too early"; });

  timers.RunAt(clock_.Now(), [&] { ran.Notify(); });

  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, CancelledTimerDoesNotRun) {
  JumpingClock clock;
  std::atomic<bool> cancelled_ran = false;
  absl::Notification later_ran;
  TimerQueue timers(&clock);
  const absl::Time when = clock.Now() + absl::Hours(1);
  const TimerQueue::TimerId id = timers.RunAt(when, [&] { cancelled_ran = true; });
  timers.RunAt(when, [&] { later_ran.Notify(); });

  timers.Cancel(id);
  clock.JumpHours(2);

  ASSERT_TRUE(later_ran.WaitForNotificationWithTimeout(kTimerWait));
  EXPECT_FALSE(cancelled_ran);
}

TEST_F(TimerQueueTest, CancellingWhatHasRunOrNeverWasDoesNothing) {
  TimerQueue timers(&clock_);
  absl::Notification ran;
  const TimerQueue::TimerId id = timers.RunAt(clock_.Now(), [&] { ran.Notify(); });
  ASSERT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));

  timers.Cancel(id);
  timers.Cancel(id + 1000);

  absl::Notification still_works;
  timers.RunAt(clock_.Now(), [&] { still_works.Notify(); });
  EXPECT_TRUE(still_works.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, CallbackMayAddAndCancelTimers) {
  TimerQueue timers(&clock_);
  absl::Notification inner_ran;
  const TimerQueue::TimerId doomed =
      timers.RunAt(clock_.Now() + absl::Hours(1), [] { FAIL() << "an hour too early"; });

  timers.RunAt(clock_.Now(), [&] {
    timers.Cancel(doomed);
    timers.RunAt(clock_.Now(), [&] { inner_ran.Notify(); });
  });

  EXPECT_TRUE(inner_ran.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, DestructionDropsWhatHasNotRun) {
  std::atomic<bool> ran = false;
  {
    TimerQueue timers(&clock_);
    timers.RunAt(clock_.Now() + absl::Hours(1), [&] { ran = true; });
  }

  EXPECT_FALSE(ran);
}

TEST_F(TimerQueueTest, AClockThatIsSetAheadMakesTimersDueSoon) {
  JumpingClock clock;
  absl::Notification ran;
  TimerQueue timers(&clock);
  const absl::Time when = clock.Now() + absl::Hours(23);
  const int asked_before = clock.asked_count();
  timers.RunAt(when, [&] { ran.Notify(); });
  // Whether the timer is due, then for how long to sleep: the queue has made up its mind.
  ASSERT_TRUE(Eventually([&] { return clock.asked_count() >= asked_before + 2; }));

  clock.JumpHours(24);

  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, TimersOfASteadyClockAreDueWhateverIsSet) {
  const SteadyClock steady;
  TimerQueue timers(&steady);
  absl::Notification ran;

  timers.RunAt(steady.Now() + absl::Milliseconds(5), [&] { ran.Notify(); });

  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
}

TEST_F(TimerQueueTest, TimerForNeverDoesNotKeepTheOthersWaiting) {
  TimerQueue timers(&clock_);
  absl::Notification ran;
  timers.RunAt(absl::InfiniteFuture(), [] { FAIL() << "never came"; });

  timers.RunAt(clock_.Now() + absl::Milliseconds(5), [&] { ran.Notify(); });

  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kTimerWait));
}

}  // namespace
}  // namespace entente
