// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_REPORT_H_
#define COORDINATOR_ROUNDS_ROUND_REPORT_H_

// A round in words and sums, for people. Pure functions of its state.

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "coordinator/rounds/round_state.h"

namespace entente::rounds {

// What the round waits for and until when, e.g. "waiting for fr-lab/gpu-1, kr-lab/gpu-1; 3 of 5 in,
// 3 needed; closes in 41s". Empty when it has ended.
std::string WaitingFor(const RoundState& state, absl::Time now);

// Mean of the participants' evaluations, weighted by their held-out examples; none if there are
// none.
std::optional<Metrics> CombinedEvaluation(const RoundState& state);

// Mean of the accepted updates' training losses, weighted by examples; 0 if there are none.
double CombinedTrainingLoss(const RoundState& state);

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_REPORT_H_
