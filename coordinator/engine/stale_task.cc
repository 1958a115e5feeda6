// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stale_task.h"

#include "absl/strings/str_cat.h"
#include "coordinator/rounds/round_machine.h"

namespace entente::engine {
namespace {

bool HasUpdateIn(const rounds::RoundState& round, const WorkerId& worker) {
  const auto it = round.participants.find(worker);
  return it != round.participants.end() && it->second.state == rounds::ParticipantState::kAccepted;
}

std::optional<std::string> WhyNotInFlight(const rounds::RoundState& round, const WorkerId& worker,
                                          v1::TaskKey::Kind kind) {
  if (round.phase == rounds::RoundPhase::kPlanned) return std::nullopt;
  if (kind == v1::TaskKey::KIND_EVALUATE) {
    if (round.AwaitsEvaluationOf(worker)) return std::nullopt;
    return absl::StrCat("no evaluation of ", worker.value(), " is awaited: round ",
                        round.round_index + 1, " is ", rounds::PhaseName(round.phase));
  }
  const absl::Status welcome = rounds::CheckUpdateWelcome(round, worker);
  if (welcome.ok()) return std::nullopt;
  return std::string(welcome.message());
}

}  // namespace

std::optional<std::string> WhyCalledOff(const jobs::JobState& job, const rounds::RoundState* ended,
                                        const WorkerId& worker, const v1::TaskKey& key) {
  const rounds::RoundState& in_flight = job.round;
  const bool is_in_flight = ended == nullptr && key.round_index() == in_flight.round_index &&
                            key.attempt() == in_flight.attempt;
  const rounds::RoundState* const round = is_in_flight ? &in_flight : ended;
  if (key.kind() != v1::TaskKey::KIND_EVALUATE && round != nullptr && HasUpdateIn(*round, worker)) {
    return std::nullopt;
  }
  if (job.HasEnded()) {
    return absl::StrCat("the job has ended: ", job.reason);
  }
  if (is_in_flight) return WhyNotInFlight(in_flight, worker, key.kind());
  const std::string name =
      absl::StrCat("round ", uint64_t{key.round_index()} + 1, " attempt ", key.attempt());
  if (ended != nullptr) {
    return absl::StrCat(name, " is ", rounds::PhaseName(ended->phase), ": ", ended->reason);
  }
  return absl::StrCat(name, " is not in flight; round ", in_flight.round_index + 1, " attempt ",
                      in_flight.attempt, " is");
}

}  // namespace entente::engine
