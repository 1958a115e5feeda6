// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_REPORT_H_
#define COORDINATOR_ROUNDS_ROUND_REPORT_H_

// A round in words and sums, for people. Pure functions of its state.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "coordinator/rounds/round_state.h"

namespace entente::rounds {

// What a worker last said it does.
struct Activity {
  std::string name;  // "training", "uploading", ...
  uint64_t step = 0;
  uint64_t step_count = 0;  // 0: unknown.
};

// What bears on a round's wait and is not its state.
struct WaitCircumstances {
  std::map<WorkerId, Activity> activities = {};
  bool job_is_paused = false;
  uint32_t workers_available = 0;             // Attached, with the data set, not away.
  std::map<WorkerId, std::string> away = {};  // With the data set; "away until ...: ...".
};

// What the round waits for and until when, in one sentence:
//
//   waiting for fr-lab/gpu-1 (training, step 40 of 200), kr-lab/w; 3 of 5 in, 4 needed; closes in
//   41s, at 14:05:10 UTC, or when all are in
//
// Empty when it has ended.
std::string WaitingFor(const RoundState& state, const WaitCircumstances& circumstances,
                       absl::Time now);

// Mean of the participants' evaluations, weighted by their held-out examples; none if there are
// none.
std::optional<Metrics> CombinedEvaluation(const RoundState& state);

// Mean of the accepted updates' training losses, weighted by examples; 0 if there are none.
double CombinedTrainingLoss(const RoundState& state);

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_REPORT_H_
