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

// How the coordinator gets on with combining a round's updates.
struct Combining {
  enum class Stage {
    kRuns,      // A try runs, or waits for another job's.
    kPauses,    // The last try failed, and there is another.
    kSearches,  // The last try failed for good; updates that were lost are looked for.
  };
  Stage stage = Stage::kRuns;
  int tries = 1;                               // Begun so far.
  absl::Time began_at = absl::InfinitePast();  // The last of them.
  std::string failure = {};                    // Why the last that failed did; empty: none has.
  absl::Time next_try_at = absl::InfiniteFuture();  // Meaningful while it pauses.
  // Since when each try has failed for want of room on the coordinator's disk; none: the last that
  // failed did not.
  std::optional<absl::Time> no_room_since = std::nullopt;
};

// What bears on a round's wait and is not its state.
struct WaitCircumstances {
  std::map<WorkerId, Activity> activities = {};
  std::map<WorkerId, absl::Time> detached = {};  // Who is not attached, and since when.
  bool job_is_paused = false;
  uint32_t workers_available = 0;             // Attached, with the data set, not away.
  std::map<WorkerId, std::string> away = {};  // With the data set; "away until ...: ...".
  std::optional<Combining> combining = std::nullopt;
  // When a planned attempt that rests after the one before may open.
  std::optional<absl::Time> rests_until = std::nullopt;
  std::string journal_failure = {};  // Why the journal takes no events; empty: it does.
};

// "14:05:10 UTC"; "Mon 30 Nov 14:05:10 UTC" if that is not the day it is now.
std::string ClockText(absl::Time at, absl::Time now);

// What the round waits for and until when, in one sentence:
//
//   waiting for fr-lab/gpu-1 (training, step 40 of 200), kr-lab/w; 3 of 5 in, 4 needed; closes in
//   41s, at 14:05:10 UTC, or when all are in
//
// While the journal takes nothing the sentence ends with why, for then no deadline is kept.
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
