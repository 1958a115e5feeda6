// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_SIMULATED_CLOCK_H_
#define TESTS_SUPPORT_SIMULATED_CLOCK_H_

#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"

namespace entente {

// Time that moves only when the test moves it. Thread-safe.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mu_);
    return now_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    now_ += by;
  }

 private:
  mutable absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente

#endif  // TESTS_SUPPORT_SIMULATED_CLOCK_H_
