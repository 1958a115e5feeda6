// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/idle_watch.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/notification.h"
#include "common/base/timer_queue.h"

namespace entente::service {
namespace {

constexpr absl::Duration kLimit = absl::Milliseconds(20);

class IdleWatchTest : public ::testing::Test {
 protected:
  // Waits until every timer that is due by now, and `after` later, has run.
  void LetTimersRun(absl::Duration after) {
    absl::Notification done;
    timers_.RunAt(clock_.Now() + after, [&done] { done.Notify(); });
    done.WaitForNotification();
  }

  SystemClock clock_;
  TimerQueue timers_{&clock_};
};

TEST_F(IdleWatchTest, LongWaitIsNoticedOnce) {
  std::atomic<int> calls{0};
  absl::Notification noticed;
  IdleWatch watch(&clock_, &timers_, kLimit, [&] {
    if (calls.fetch_add(1) == 0) noticed.Notify();
  });

  watch.BeginWait();
  noticed.WaitForNotification();
  EXPECT_TRUE(watch.IsOverdue());
  LetTimersRun(3 * kLimit);

  EXPECT_EQ(calls, 1);
}

TEST_F(IdleWatchTest, OwnWorkIsNotIdleness) {
  std::atomic<int> calls{0};
  IdleWatch watch(&clock_, &timers_, kLimit, [&] { ++calls; });

  watch.BeginWait();
  watch.EndWait();
  LetTimersRun(3 * kLimit);

  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(watch.IsOverdue());
}

TEST_F(IdleWatchTest, EveryWaitHasTheWholeLimit) {
  std::atomic<int> calls{0};
  IdleWatch watch(&clock_, &timers_, absl::Seconds(30), [&] { ++calls; });
  for (int i = 0; i < 1000; ++i) {
    watch.BeginWait();
    watch.EndWait();
  }
  watch.BeginWait();
  LetTimersRun(kLimit);

  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(watch.IsOverdue());
}

TEST_F(IdleWatchTest, StoppedWatchIsSilent) {
  std::atomic<int> calls{0};
  IdleWatch watch(&clock_, &timers_, kLimit, [&] { ++calls; });
  watch.BeginWait();

  watch.Stop();
  watch.BeginWait();
  LetTimersRun(3 * kLimit);

  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace entente::service
