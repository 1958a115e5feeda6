// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_MACHINE_H_
#define COORDINATOR_ROUNDS_ROUND_MACHINE_H_

// The life of one attempt of a training round, as a pure function.
//
//             Opened                quorum met            grace over,
//                                                      or nobody awaited
//  kPlanned ----------> kCollecting ----------> kGrace ------------------> kAggregating
//      |                   |    |                 |                         |       |
//      |                   |    +- quorum met, ---|-----------------------> |       | Aggregated
//      |                   |       nobody awaited |                         |       v
//      |                   |                      |                         |   kEvaluating
//      | deadline          | deadline,            |                         |       | all reported,
//      |                   | quorum out of reach  |                         |       | or deadline
//      v                   v                      v                         v       v
//  kAborted <------- Cancelled, AggregationFailed -------------------------/    kCommitted
//
// (Without an evaluation Aggregated leads straight to kCommitted. Cancelled leads to kAborted from
// every phase that has not ended. UpdateLost is legal in every open phase and in kAggregating, and
// leads to kGrace, or to kCollecting if the quorum is not in any more.)
//
// Awaited is who was invited or works. While quorum is not in, who is missing is awaited too, for
// it may come back; who declined, was refused or failed is not: an update that a failed worker
// sends after all counts while the round is open, but nobody waits for it. Who is skipped is out of
// the attempt: not awaited, and a quorum that is a share is one of those who remain.
//
// Whoever is asked or at work when the round goes on or ends has missed its time if that was over,
// and is missing. If the attempt is aborted before its time (the quorum is out of reach, somebody
// cancels or pauses) it is unfinished, and has missed nothing.
//
// A planned round that lacks only workers that are away, and back after its deadline at the
// earliest, is given until then, and its deadline from then on (AbsenceAwaited): who is away is not
// dead. For who may be back sooner the deadline stays what it is.
//
// Whose update is lost after it was accepted is asked again, and the others' stay. The round's
// deadline then counts anew from that moment, for the update may have to be made again; if the
// quorum is not in any more, who is missing is asked again as well.
//
// Nothing here reads a clock, takes a lock or touches disk or network: the engine feeds events in
// and carries the returned effects out. The same events at the same times give the same round, so
// replaying the journal is recovery.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/rounds/round_effect.h"
#include "coordinator/rounds/round_event.h"
#include "coordinator/rounds/round_state.h"

namespace entente::rounds {

struct Transition {
  RoundState next;
  std::vector<RoundEffect> effects;
  std::string reason;  // One sentence for the record.
  // The quorum is out of reach for nothing but workers that are away.
  bool ended_by_absence = false;
};

// A round's first attempt or a later one, waiting for workers since `now`.
Transition Plan(uint32_t round_index, uint32_t attempt, const Digest& base_model,
                const RoundPolicy& policy, absl::Time now);

// Returns what `event` does to `state` at time `now`.
//
// Returns, and `state` is then still current:
// - FAILED_PRECONDITION if the event is not legal in this phase or from this participant, or the
//   round would open for a cohort that cannot meet its quorum.
// - NOT_FOUND if the worker is not of this round's cohort.
// - For an update that is accepted, as CheckUpdateWelcome.
absl::StatusOr<Transition> Step(const RoundState& state, const RoundEvent& event, absl::Time now);

// Whether an update of `worker` would be accepted now; Step's own check, for refusing an upload
// before its bytes travel.
//
// FAILED_PRECONDITION if the round is not open (the message says in which phase it is, and why) or
// the worker declined. NOT_FOUND if it is not of the cohort. ALREADY_EXISTS if its update is in
// already. INVALID_ARGUMENT if an update of it was refused.
absl::Status CheckUpdateWelcome(const RoundState& state, const WorkerId& worker);

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_MACHINE_H_
