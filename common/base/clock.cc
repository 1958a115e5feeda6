// SPDX-License-Identifier: Apache-2.0
#include "common/base/clock.h"

#include "absl/time/clock.h"

namespace entente {

absl::Time SystemClock::Now() const { return absl::Now(); }

}  // namespace entente
