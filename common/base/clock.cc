// SPDX-License-Identifier: Apache-2.0
#include "common/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"
#include "common/base/check.h"

namespace entente {

absl::Time SystemClock::Now() const { return absl::Now(); }

absl::Time SteadyClock::Now() const {
  timespec since_start = {};
  ENTENTE_CHECK(clock_gettime(CLOCK_BOOTTIME, &since_start) == 0);
  return absl::UnixEpoch() + absl::DurationFromTimespec(since_start);
}

}  // namespace entente
