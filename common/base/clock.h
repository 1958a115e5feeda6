// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_CLOCK_H_
#define COMMON_BASE_CLOCK_H_

// Where time comes from. Everything that needs the time is handed a Clock, so that tests and the
// simulator can move it.

#include "absl/time/time.h"

namespace entente {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Of SystemClock wall time, which somebody may set: deadlines that survive a restart are kept in
  // it. Of SteadyClock time that only passes: for how long something lasts, or how often it comes.
  virtual absl::Time Now() const = 0;
};

// The machine's own clock.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
};

// Time since the machine started, as if that had been in 1970; the time that it was suspended for
// counts. It never jumps, and means nothing to another machine.
class SteadyClock final : public Clock {
 public:
  absl::Time Now() const override;
};

}  // namespace entente

#endif  // COMMON_BASE_CLOCK_H_
