// SPDX-License-Identifier: Apache-2.0
#include "tests/support/eventually.h"

#include "absl/time/clock.h"
#include "common/base/clock.h"

namespace entente {

bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration pause, absl::Duration limit) {
  const SteadyClock clock;
  const absl::Time end = clock.Now() + limit;
  while (!condition()) {
    if (clock.Now() >= end) return false;
    absl::SleepFor(pause);
  }
  return true;
}

}  // namespace entente
