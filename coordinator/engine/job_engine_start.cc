// SPDX-License-Identifier: Apache-2.0
// How JobEngine goes on when the coordinator is started.

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "coordinator/engine/job_engine.h"

namespace entente::engine {
namespace {

using rounds::RoundPhase;
using rounds::RoundState;

// "round 3 attempt 1 goes on in collecting, 2 of 3 needed updates are in"
std::string StandingOf(const jobs::JobState& job) {
  const RoundState& round = job.round;
  const std::string name =
      absl::StrCat("round ", round.round_index + 1, " attempt ", round.attempt);
  const std::string updates =
      absl::StrCat(round.CountIn(rounds::ParticipantState::kAccepted), " of ",
                   round.updates_required, " needed updates are in");
  switch (round.phase) {
    case RoundPhase::kPlanned:
      return absl::StrCat(name, job.paused ? " waits for the job to be resumed" : " waits to open");
    case RoundPhase::kCollecting:
    case RoundPhase::kGrace:
      return absl::StrCat(name, " goes on in ", rounds::PhaseName(round.phase), ", ", updates);
    case RoundPhase::kAggregating:
      return absl::StrCat(name, " combines its updates anew, ", updates);
    case RoundPhase::kEvaluating:
      return absl::StrCat(name, " goes on in evaluating, its model is made");
    case RoundPhase::kCommitted:
    case RoundPhase::kAborted:
      break;  // Of an ended job alone.
  }
  return name;
}

}  // namespace

void JobEngine::NoteStart(const CoordinatorStart& start) {
  if (working_state_.HasEnded() || starts_noted_ >= limits::kStartsNotedMax) return;
  jobs::CoordinatorStarted event{.version = start.version,
                                 .standing = StandingOf(working_state_),
                                 .after_a_crash = start.after_a_crash};
  if (starts_noted_ + 1 == limits::kStartsNotedMax) {
    absl::StrAppend(&event.standing, "; further starts are not noted before other tasks are out");
  }
  // Why not is in the log by now.
  JournalAndPublish(event).status().IgnoreError();
}

void JobEngine::Resume(std::map<WorkerId, std::string> lost_updates) {
  Post([lost = std::move(lost_updates)](JobEngine& self) {
    self.AskAgainFor(lost);
    self.RepeatEffects();
  });
}

void JobEngine::RepeatEffects() {
  if (working_state_.HasEnded()) return;
  const RoundState& round = working_state_.round;
  // A planned round's workers have a lease's time to come back, be it to say that they are away.
  const bool is_planned = round.phase == RoundPhase::kPlanned;
  ArmDeadline(is_planned ? std::max(round.closes_at, deps_.clock->Now() + lease_)
                         : round.closes_at);
  switch (round.phase) {
    case RoundPhase::kPlanned:
      TryToOpenRound();
      break;
    case RoundPhase::kAggregating:
      StartAggregation();
      break;
    default:
      // Who is attached is asked again; who is not has its lease to come back.
      for (const auto& [worker, participant] : round.participants) {
        if (IsAwaited(worker, v1::TaskKey::KIND_TRAIN)) SendTask(worker, v1::TaskKey::KIND_TRAIN);
        if (participant.evaluation_awaited) SendTask(worker, v1::TaskKey::KIND_EVALUATE);
      }
  }
}

}  // namespace entente::engine
