// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_COHORT_SELECTION_H_
#define COORDINATOR_ROUNDS_COHORT_SELECTION_H_

// Who is asked in a round.

#include <cstdint>
#include <vector>

#include "common/base/strong_id.h"
#include "coordinator/rounds/round_state.h"

namespace entente::rounds {

struct CohortRequest {
  std::vector<WorkerId> eligible;  // Attached, and offer the data set.
  double fraction = 1.0;           // Of the eligible, rounded up; in (0, 1].
  uint64_t seed = 0;               // The recipe's.
  uint32_t round_index = 0;
  uint32_t attempt = 1;
};

// A seeded sample, sorted by id, of at most limits::kUpdatesPerRoundMax workers. It depends on the
// set of eligible workers, not on their order. Every attempt draws anew, so that a round is not
// lost to the same silent workers twice.
std::vector<WorkerId> SelectCohort(CohortRequest request);

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_COHORT_SELECTION_H_
