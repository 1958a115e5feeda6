// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/executor_lag.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "tests/support/simulated_clock.h"

namespace entente::metrics {
namespace {

// Runs what was posted when it is told to.
class HeldExecutor final : public Executor {
 public:
  void Post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  void RunAll() {
    for (; !tasks_.empty(); tasks_.pop_front()) tasks_.front()();
  }
  size_t waiting() const { return tasks_.size(); }

 private:
  std::deque<std::function<void()>> tasks_;
};

TEST(ExecutorLagTest, TellsHowLongWorkWaitedAndHowLongItHasWaitedSoFar) {
  HeldExecutor executor;
  SimulatedClock clock;
  ExecutorLag lag(&executor, &clock);
  EXPECT_EQ(lag.Measure(), absl::ZeroDuration());
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(lag.Measure(), absl::Seconds(3));
  EXPECT_EQ(executor.waiting(), 1u);  // Asking often makes no work.
  executor.RunAll();
  clock.Advance(absl::Seconds(10));
  EXPECT_EQ(lag.Measure(), absl::Seconds(3));
}

}  // namespace
}  // namespace entente::metrics
