// SPDX-License-Identifier: Apache-2.0
#include "tests/support/eventually.h"

#include "absl/time/clock.h"
#include "common/base/clock.h"

namespace entente {

bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration pause) {
  const SteadyClock clock;
  const absl::Time limit = clock.Now() + absl::Seconds(30);
  while (!condition()) {
    if (clock.Now() >= limit) return false;
    absl::SleepFor(pause);
  }
  return true;
}

}  // namespace entente
