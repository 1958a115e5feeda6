// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_JOBS_JOB_MACHINE_H_
#define COORDINATOR_JOBS_JOB_MACHINE_H_

// The life of a job, as a pure function over round_machine.h.
//
//              last round committed
//  kRunning --------------------------> kCompleted
//      |  \---- attempts used up -----> kFailed
//      \------- cancelled ------------> kCancelled
//
// While it runs there is always one round in flight: a committed round is followed by the next one,
// an aborted one by its next attempt.
//
// An attempt that loses its quorum to workers that went away does not count against attempts_max,
// if the event says so: who is away is not dead.
//
// While it is paused that round is finished if it is open, and the next one is planned but neither
// opened nor given a deadline: its time begins when the job is resumed.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/rounds/round_effect.h"
#include "coordinator/rounds/round_event.h"

namespace entente::jobs {

// The job begins.
struct Submitted {
  JobPlan plan;
  Digest initial_model;
};
// Something happened to the round in flight. The index and attempt it was meant for keep an event
// that comes late from touching the next round.
struct RoundHappened {
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  rounds::RoundEvent event;
  // An attempt that this ends does not count if it ends for workers that are away.
  bool excuses_absence = false;
};
struct JobCancelled {
  std::string reason;  // Who and why.
};
// A paused job that is paused again stays paused for its first reason, unless this breaks off its
// round.
struct JobPaused {
  std::string reason;  // Who and why.
  bool now = false;    // Break off the round if it still collects; that attempt does not count.
};
// Changes nothing if the job is not paused.
struct JobResumed {
  std::string reason;  // Who and why.
};
// The coordinator was started again while the job ran. Changes nothing: it tells people why the job
// may have waited.
struct CoordinatorStarted {
  std::string version;         // Of the program; may be empty.
  std::string standing;        // Where the job stood, one sentence.
  bool after_a_crash = false;  // The one of before had ended without closing the journal.
};
using JobEvent =
    std::variant<Submitted, RoundHappened, JobCancelled, JobPaused, JobResumed, CoordinatorStarted>;

// Try to open the round in flight: it is planned and waits for workers.
struct TryToOpenRound {};
// The files of this attempt's updates are no longer needed.
struct ForgetUpdates {
  uint32_t round_index = 0;
  uint32_t attempt = 1;
};
using JobEffect = std::variant<rounds::RoundEffect, TryToOpenRound, ForgetUpdates>;

struct JobTransition {
  JobState next;
  std::vector<JobEffect> effects;
  std::string reason;  // One sentence for the record.
  // The attempt that this step ended, if it did: the state keeps the one in flight only, so that a
  // step costs the same in round 1 and in round 100,000.
  std::optional<rounds::RoundState> ended_round;
};

// Returns what `event` does to `state` at `now`. FAILED_PRECONDITION if the job was submitted
// already or not yet, has ended, the event is for another round or attempt, or would open a round
// of a paused job; otherwise as rounds::Step. `state` is then still current.
absl::StatusOr<JobTransition> Step(const JobState& state, const JobEvent& event, absl::Time now);

}  // namespace entente::jobs

#endif  // COORDINATOR_JOBS_JOB_MACHINE_H_
