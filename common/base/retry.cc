// SPDX-License-Identifier: Apache-2.0
#include "common/base/retry.h"

#include <algorithm>

namespace entente {

Backoff::Backoff(absl::Duration first, absl::Duration max, RandomSource* random)
    : first_(first), max_(max), random_(*random), ceiling_(first) {}

absl::Duration Backoff::Next() {
  const double share = static_cast<double>(random_.Next() >> 11) * 0x1p-53;
  const absl::Duration wait = ceiling_ * (0.5 + 0.5 * share);
  ceiling_ = std::min(ceiling_ * 2, max_);
  return wait;
}

void Backoff::Reset() { ceiling_ = first_; }

}  // namespace entente
