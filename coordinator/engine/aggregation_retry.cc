// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/aggregation_retry.h"

#include "common/base/limits.h"

namespace entente::engine {

std::optional<absl::Duration> AggregationRetry::PauseAfter(const absl::Status& failure) {
  const bool may_pass = absl::IsResourceExhausted(failure) || absl::IsUnavailable(failure);
  if (!may_pass || failures_ + 1 >= limits::kAggregationTriesMax) {
    Reset();
    return std::nullopt;
  }
  return first_pause_ * (1 << failures_++);
}

}  // namespace entente::engine
