// SPDX-License-Identifier: Apache-2.0
#include "common/base/steady_cond_var.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/base/clock.h"
#include "tests/support/eventually.h"

namespace entente {
namespace {

constexpr absl::Duration kLongWait = absl::Seconds(30);

class SteadyCondVarTest : public ::testing::Test {
 protected:
  // Whether the flag came within `limit`.
  bool AwaitFlag(absl::Duration limit) {
    absl::MutexLock lock(&mu_);
    ++waiting_count_;  // Until it waits, nobody else has the mutex.
    return changed_.AwaitFor(&mu_, limit,
                             [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return flag_; });
  }
  void SetFlag() {
    absl::MutexLock lock(&mu_);
    flag_ = true;
    changed_.SignalAll();
  }

  int waiting_count() {
    absl::MutexLock lock(&mu_);
    return waiting_count_;
  }

  const SteadyClock clock_;
  absl::Mutex mu_;
  SteadyCondVar changed_;
  int waiting_count_ ABSL_GUARDED_BY(mu_) = 0;
  bool flag_ ABSL_GUARDED_BY(mu_) = false;
};

TEST_F(SteadyCondVarTest, ASignalWakesAllWhoWait) {
  const absl::Time start = clock_.Now();
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([this] { EXPECT_TRUE(AwaitFlag(kLongWait)); });
  }
  EXPECT_TRUE(Eventually([this] { return waiting_count() == 3; }));

  SetFlag();

  for (std::thread& thread : waiting) thread.join();
  // One that the signal did not reach finds the flag at its limit.
  EXPECT_LT(clock_.Now() - start, kLongWait);
}

TEST_F(SteadyCondVarTest, AnInfiniteWaitEndsWithTheSignal) {
  std::thread waiting([this] { EXPECT_TRUE(AwaitFlag(absl::InfiniteDuration())); });
  EXPECT_TRUE(Eventually([this] { return waiting_count() == 1; }));

  SetFlag();

  waiting.join();
}

TEST_F(SteadyCondVarTest, AWaitThatIsNotSignalledLastsAsLongAsItMay) {
  const absl::Time start = clock_.Now();

  EXPECT_FALSE(AwaitFlag(absl::Milliseconds(20)));

  EXPECT_GE(clock_.Now() - start, absl::Milliseconds(20));
}

TEST_F(SteadyCondVarTest, WhatIsTrueAlreadyIsNotWaitedFor) {
  SetFlag();

  EXPECT_TRUE(AwaitFlag(absl::ZeroDuration()));
  EXPECT_TRUE(AwaitFlag(-absl::InfiniteDuration()));
  EXPECT_TRUE(AwaitFlag(absl::InfiniteDuration()));
}

TEST_F(SteadyCondVarTest, AWaitWithoutAConditionEndsWithTheSignal) {
  struct Shared {
    absl::Mutex mu;
    SteadyCondVar changed;
    bool is_waiting = false;
    bool flag = false;
    absl::Notification woken;
  };
  const auto shared = std::make_shared<Shared>();  // Who is not woken outlives the test.
  std::thread waiting([shared] {
    {
      absl::MutexLock lock(&shared->mu);
      shared->is_waiting = true;
      while (!shared->flag) shared->changed.Wait(&shared->mu);
    }
    shared->woken.Notify();
  });
  waiting.detach();
  EXPECT_TRUE(Eventually([&shared] {
    absl::MutexLock lock(&shared->mu);
    return shared->is_waiting;
  }));

  {
    absl::MutexLock lock(&shared->mu);
    shared->flag = true;
  }
  shared->changed.SignalAll();

  EXPECT_TRUE(shared->woken.WaitForNotificationWithTimeout(kLongWait));
}

TEST_F(SteadyCondVarTest, AWaitWithNoTimeLeftEndsAtOnce) {
  const absl::Time start = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    changed_.WaitFor(&mu_, absl::ZeroDuration());
    changed_.WaitFor(&mu_, -absl::Hours(1));
  }

  EXPECT_LT(clock_.Now() - start, kLongWait);
}

}  // namespace
}  // namespace entente
