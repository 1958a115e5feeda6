// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_AGGREGATION_RETRY_H_
#define COORDINATOR_ENGINE_AGGREGATION_RETRY_H_

// A round's aggregation that failed: whether to repeat it, and when. A full or failing disk may
// pass; aborting the attempt for it would throw away every update that was accepted. Anything else
// would fail the same way again.

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace entente::engine {

// Not thread-safe.
class AggregationRetry {
 public:
  // Pauses `first_pause` after the first failure, and twice as long after each further one.
  explicit AggregationRetry(absl::Duration first_pause) : first_pause_(first_pause) {}

  // How long to wait before the next try; none if there is to be none: the failure is not of the
  // disk (RESOURCE_EXHAUSTED, UNAVAILABLE), or it was the last of limits::kAggregationTriesMax.
  // After none it starts over, for the next attempt.
  std::optional<absl::Duration> PauseAfter(const absl::Status& failure);

  // The aggregation is done: the next one has all its tries.
  void Reset() { failures_ = 0; }

 private:
  const absl::Duration first_pause_;
  int failures_ = 0;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_AGGREGATION_RETRY_H_
