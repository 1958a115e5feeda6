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

  // Wall time: deadlines are kept in it, so that they survive a restart.
  virtual absl::Time Now() const = 0;
};

// The machine's own clock.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
};

}  // namespace entente

#endif  // COMMON_BASE_CLOCK_H_
