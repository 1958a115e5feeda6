// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/aggregation_retry.h"

#include <algorithm>

#include "common/base/limits.h"

namespace entente::engine {

std::optional<absl::Duration> AggregationRetry::PauseAfter(const absl::Status& failure) {
  const bool is_the_devices = absl::IsUnavailable(failure);
  if (is_the_devices) ++device_failures_;
  const bool may_pass = absl::IsResourceExhausted(failure) ||
                        (is_the_devices && device_failures_ < limits::kAggregationTriesMax);
  if (!may_pass) {
    Reset();
    return std::nullopt;
  }
  const absl::Duration pause = first_pause_ * (1 << doublings_);
  doublings_ = std::min(doublings_ + 1, limits::kAggregationPauseDoublingsMax);
  return pause;
}

void AggregationRetry::Reset() {
  doublings_ = 0;
  device_failures_ = 0;
}

}  // namespace entente::engine
