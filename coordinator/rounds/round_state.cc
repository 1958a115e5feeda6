// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_state.h"

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace entente::rounds {

absl::string_view PhaseName(RoundPhase phase) {
  switch (phase) {
    case RoundPhase::kPlanned:
      return "planned";
    case RoundPhase::kCollecting:
      return "collecting";
    case RoundPhase::kGrace:
      return "grace";
    case RoundPhase::kAggregating:
      return "aggregating";
    case RoundPhase::kEvaluating:
      return "evaluating";
    case RoundPhase::kCommitted:
      return "committed";
    case RoundPhase::kAborted:
      return "aborted";
  }
  ENTENTE_CHECK(false);
}

absl::string_view ParticipantStateName(ParticipantState state) {
  switch (state) {
    case ParticipantState::kInvited:
      return "invited";
    case ParticipantState::kWorking:
      return "working";
    case ParticipantState::kDeclined:
      return "declined";
    case ParticipantState::kAccepted:
      return "accepted";
    case ParticipantState::kRefused:
      return "refused";
    case ParticipantState::kMissing:
      return "missing";
    case ParticipantState::kFailed:
      return "failed";
    case ParticipantState::kSkipped:
      return "skipped";
    case ParticipantState::kUnfinished:
      return "unfinished";
  }
  ENTENTE_CHECK(false);
}

uint32_t RoundState::CountIn(ParticipantState state) const {
  return static_cast<uint32_t>(
      std::count_if(participants.begin(), participants.end(),
                    [state](const auto& entry) { return entry.second.state == state; }));
}

bool RoundState::AwaitsUpdateOf(const WorkerId& worker) const {
  const auto it = participants.find(worker);
  return IsOpen() && it != participants.end() &&
         (it->second.IsAskedOrWorking() || it->second.state == ParticipantState::kMissing);
}

bool RoundState::AwaitsEvaluationOf(const WorkerId& worker) const {
  const auto it = participants.find(worker);
  return it != participants.end() && it->second.evaluation_awaited;
}

size_t ShareOf(double share, size_t count) {
  // The small step down keeps 0.28 x 25, which is a hair over 7 in binary, from being 8.
  return static_cast<size_t>(std::ceil(share * static_cast<double>(count) - 1e-9));
}

uint32_t UpdatesRequired(const RoundPolicy& policy, size_t cohort_size) {
  if (policy.quorum_count.has_value()) return std::max(1U, *policy.quorum_count);
  return std::max(1U,
                  static_cast<uint32_t>(ShareOf(policy.quorum_share.value_or(1.0), cohort_size)));
}

}  // namespace entente::rounds
