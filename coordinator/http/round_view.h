// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_ROUND_VIEW_H_
#define COORDINATOR_HTTP_ROUND_VIEW_H_

// Rounds for the dashboard: each as one row of a long history, and one of them explained.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coordinator/engine/round_chronicle.h"
#include "coordinator/http/status_view.h"
#include "coordinator/rounds/round_state.h"

namespace entente::dashboard {

// Whose figures a row has.
struct RowMembers {
  bool all = false;
  std::vector<std::string> ids = {};  // If not all.
};

// {"round", "attempt", "phase", "reason", "openedAt", "endedAt", "asked", "accepted", "refused",
// "missing", "required", "loss", "accuracy", "trainingLoss", "lossBest", "lossWorst",
// "accuracyBest", "accuracyWorst" (the best and the worst member's), "bestMember", "worstMember"
// (by accuracy, or by loss where there is none), "bytesUp", "seconds": {phase: seconds},
// "modelDigest", "members": {id: [loss, accuracy, weight]}}. What is not known is left out or null.
Json RoundRowJson(const rounds::RoundState& round, const engine::RoundChronicle& chronicle,
                  const RowMembers& members);

// {"rows": [every ended attempt, oldest first], "memberIds": [...]}. With at most kMembersAtOnce
// members each row has them all; otherwise those of `members`, and two rows all: the last evaluated
// one, for its figures, and the last committed one, for its weights.
inline constexpr size_t kMembersAtOnce = 12;
Json HistoryJson(const engine::JobHistory& history, const std::vector<std::string>& members);

// {"now", "round": Round of the wire in full, "chronicle", "closedBy", "attempts": how many there
// were, "lines": [its lines of the journal, oldest first]}. `attempt` 0: the latest. NOT_FOUND.
absl::StatusOr<Json> RoundJson(const StatusSources& sources, const engine::JobEngine& job,
                               uint32_t round_index, uint32_t attempt);

// [{"phase", "at", "reason"}...]
Json PhasesJson(const engine::RoundChronicle& chronicle);

// The lines that a round has in the journal, oldest first, a few thousand at most.
absl::StatusOr<Json> RoundLinesJson(const StatusSources& sources, const JobId& job,
                                    const engine::RoundChronicle& chronicle);

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_ROUND_VIEW_H_
