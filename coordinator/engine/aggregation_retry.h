// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_AGGREGATION_RETRY_H_
#define COORDINATOR_ENGINE_AGGREGATION_RETRY_H_

// A round's aggregation that failed: whether to repeat it, and when. A full or failing disk may
// pass; aborting the attempt for it would throw away every update that was accepted. For room it is
// repeated until there is some or the job is cancelled, for the disk of whoever took the updates
// is not the fault of those who sent them; an error of the device may be an update that cannot be
// read, which only the end of the tries tells. Anything else would fail the same way again.

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace entente::engine {

// Not thread-safe.
class AggregationRetry {
 public:
  // Pauses `first_pause` after the first failure, and twice as long after each further one, up to
  // limits::kAggregationPauseDoublingsMax times.
  explicit AggregationRetry(absl::Duration first_pause) : first_pause_(first_pause) {}

  // How long to wait before the next try; never none for want of room (RESOURCE_EXHAUSTED). None
  // after the last of limits::kAggregationTriesMax failures of the device (UNAVAILABLE), and after
  // any that is not of the disk; then it starts over, for the next attempt.
  std::optional<absl::Duration> PauseAfter(const absl::Status& failure);

  // The aggregation is done: the next one has all its tries.
  void Reset();

 private:
  const absl::Duration first_pause_;
  int doublings_ = 0;
  int device_failures_ = 0;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_AGGREGATION_RETRY_H_
