// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/round_chronicle.h"

#include <utility>

#include "coordinator/rounds/round_report.h"

namespace entente::engine {
namespace {

// A worker that comes back again and again does not fill the memory.
constexpr size_t kActivitiesKeptMax = 16;

void NotePhase(const rounds::RoundState& round, absl::Time at, RoundChronicle* chronicle) {
  if (!chronicle->phases.empty() && chronicle->phases.back().phase == round.phase) return;
  chronicle->phases.push_back({.phase = round.phase, .at = at, .reason = round.reason});
}

}  // namespace

void RoundChronicles::Note(const jobs::JobTransition& transition, uint64_t sequence,
                           absl::Time at) {
  sequence_ = sequence;
  if (transition.ended_round.has_value()) {
    NotePhase(*transition.ended_round, at, &in_flight_);
    in_flight_.sequence_last = sequence;
    in_flight_.evaluation = rounds::CombinedEvaluation(*transition.ended_round);
    in_flight_.training_loss = rounds::CombinedTrainingLoss(*transition.ended_round);
    ended_.push_back(std::make_shared<const RoundChronicle>(std::move(in_flight_)));
    in_flight_ = RoundChronicle{};
  }
  if (transition.next.HasEnded()) return;
  const rounds::RoundState& round = transition.next.round;
  if (in_flight_.sequence_first == 0) {
    in_flight_.round_index = round.round_index;
    in_flight_.attempt = round.attempt;
    in_flight_.sequence_first = sequence + 1;
  }
  NotePhase(round, at, &in_flight_);
}

void RoundChronicles::NoteActivity(const WorkerId& worker, const std::string& activity,
                                   absl::Time at) {
  std::vector<ActivityStart>& starts = in_flight_.activities[worker];
  if (activity.empty() || (!starts.empty() && starts.back().activity == activity)) return;
  if (starts.size() >= kActivitiesKeptMax) starts.erase(starts.begin());
  starts.push_back({.activity = activity, .at = at});
}

}  // namespace entente::engine
