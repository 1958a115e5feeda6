// SPDX-License-Identifier: Apache-2.0
#include "common/base/steady_cond_var.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "common/base/clock.h"

namespace entente {
namespace {

constexpr absl::Duration kLongWait = absl::Seconds(30);

class SteadyCondVarTest : public ::testing::Test {
 protected:
  // Whether the flag came within `limit`.
  bool AwaitFlag(absl::Duration limit) {
    absl::MutexLock lock(&mu_);
    return changed_.AwaitFor(&mu_, limit,
                             [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return flag_; });
  }
  void SetFlag() {
    absl::MutexLock lock(&mu_);
    flag_ = true;
    changed_.SignalAll();
  }

  const SteadyClock clock_;
  absl::Mutex mu_;
  SteadyCondVar changed_;
  bool flag_ ABSL_GUARDED_BY(mu_) = false;
};

TEST_F(SteadyCondVarTest, ASignalWakesAllWhoWait) {
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([this] { EXPECT_TRUE(AwaitFlag(absl::InfiniteDuration())); });
  }

  SetFlag();

  for (std::thread& thread : waiting) thread.join();
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

TEST_F(SteadyCondVarTest, WaitsWithoutAConditionEndWithTheSignalOrTheLimit) {
  std::thread signalling([this] { SetFlag(); });
  const absl::Time start = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    while (!flag_) changed_.Wait(&mu_);
    changed_.WaitFor(&mu_, absl::ZeroDuration());
    changed_.WaitFor(&mu_, -absl::Hours(1));
  }
  signalling.join();

  EXPECT_LT(clock_.Now() - start, kLongWait);
}

}  // namespace
}  // namespace entente
