// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_AGGREGATION_AGGREGATOR_H_
#define COORDINATOR_AGGREGATION_AGGREGATOR_H_

// How updates become one. A rule sees one block of the parameters at a time, and within it one
// update after the other, so that a rule that only keeps sums needs no room for more; a rule that
// ranks values would keep what Add gives it.

#include <cstddef>

#include "absl/types/span.h"

namespace entente::aggregation {

// One a thread; reused from block to block. Not thread-safe.
class Aggregator {
 public:
  virtual ~Aggregator() = default;

  // Starts a block of `size` elements; what was there before is forgotten.
  virtual void Start(size_t size) = 0;

  // Adds an update's values for the block: `size` of them, within the value bound. `weight` is in
  // [0, 1].
  virtual void Add(double weight, absl::Span<const float> values) = 0;

  // Writes the block's combined update.
  virtual void Finish(absl::Span<double> combined) const = 0;
};

}  // namespace entente::aggregation

#endif  // COORDINATOR_AGGREGATION_AGGREGATOR_H_
