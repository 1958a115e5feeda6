// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_TIMERS_H_
#define COMMON_BASE_TIMERS_H_

// Callbacks at a time. timer_queue.h is the real one; the simulator has ones whose time it moves
// itself.
//
// A time means something by one clock alone, so by convention Timers have one of two names:
//   timers   by wall time, as SystemClock tells it: what is due at a time of day and survives a
//            restart, so a round's deadline. Whoever sets the clock moves it.
//   pauses   by SteadyClock: what is due after a while, so leases, heartbeats, retries, silence.
//            Nobody can move it.
// So it is `pauses->RunAt(steady_clock->Now() + ...)`, never the wall clock's now.

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace entente {

// Thread-safe.
class Timers {
 public:
  using TimerId = uint64_t;

  virtual ~Timers() = default;

  // Runs `callback` once, at or soon after `when`, never on the caller's stack. It must be short,
  // or post elsewhere.
  virtual TimerId RunAt(absl::Time when, std::function<void()> callback) = 0;

  // Drops the timer if it has not started. Does not wait for one that has.
  virtual void Cancel(TimerId id) = 0;
};

}  // namespace entente

#endif  // COMMON_BASE_TIMERS_H_
