// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_AGGREGATION_MEMBER_WEIGHTS_H_
#define COORDINATOR_AGGREGATION_MEMBER_WEIGHTS_H_

// How much each update counts: by examples or uniformly, with a cap on any one member's share, so
// that no country owns the model by having most of the data.

#include <cstdint>
#include <map>

#include "absl/status/statusor.h"
#include "common/base/strong_id.h"

namespace entente::aggregation {

enum class Weighting { kExamples, kUniform };

// Weights that sum to 1 (to rounding), by worker.
//
// kExamples: a worker's share is its examples. kUniform: every member the same, split evenly among
// its workers. Then, while a member's share exceeds `member_weight_cap` (in (0, 1]), it is fixed at
// the cap and the excess goes to the others in proportion; if all are capped, they are
// renormalized. The result depends on the arguments alone, bit for bit.
//
// INVALID_ARGUMENT if there is no worker, or one has no examples.
absl::StatusOr<std::map<WorkerId, double>> MemberWeights(
    const std::map<WorkerId, uint64_t>& examples, Weighting weighting, double member_weight_cap);

}  // namespace entente::aggregation

#endif  // COORDINATOR_AGGREGATION_MEMBER_WEIGHTS_H_
