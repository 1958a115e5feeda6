// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/job_metrics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace entente::metrics {

using rounds::ParticipantState;
using rounds::RoundPhase;
using rounds::RoundState;

absl::string_view RefusalReasonOf(absl::string_view sentence) {
  static constexpr std::pair<absl::string_view, absl::string_view> kSigns[] = {
      {"zero examples", "examples"}, {"loss is not finite", "value"},
      {" at index ", "value"},       {"bytes, but an update", "size"},
      {"canonical form", "format"},  {"does not belong to the model", "shape"},
      {" is missing", "shape"},      {" has shape ", "shape"},
      {", expected ", "shape"},      {"safetensors", "format"},
      {"header", "format"},          {"the update", "format"},
  };
  for (const auto& [sign, reason] : kSigns) {
    if (absl::StrContains(sentence, sign)) return reason;
  }
  return "other";
}

JobMetrics::JobMetrics(const Clock* clock, MetricRegistry* registry)
    : clock_(*clock), registry_(*registry) {}

void JobMetrics::Begin(const JobId& job, const jobs::JobState& state) {
  if (state.HasEnded()) return;
  const absl::Time now = clock_.Now();
  Seen seen{.phase = state.round.phase, .phase_since = now, .changed_at = now};
  for (const auto& [worker, participant] : state.round.participants) {
    seen.participants[worker] = participant.state;
  }
  absl::MutexLock lock(&mu_);
  running_[job] = std::move(seen);
}

void JobMetrics::OnJobChange(const engine::JobChange& change) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  auto [it, is_new] = running_.try_emplace(change.job.id);
  Seen& seen = it->second;
  if (is_new) seen.phase_since = now;
  seen.changed_at = now;
  if (change.ended_round != nullptr) {
    CountParticipants(*change.ended_round, &seen);
    NotePhase(change.ended_round->phase, now, &seen);
    CountEndOf(*change.ended_round);
    seen.participants.clear();
    seen.progress.clear();
  }
  if (change.state.HasEnded()) {
    registry_.Add(kJobsEnded, {jobs::JobStatusName(change.state.status)});
    running_.erase(it);
    return;
  }
  CountParticipants(change.state.round, &seen);
  NotePhase(change.state.round.phase, now, &seen);
}

void JobMetrics::NotePhase(RoundPhase phase, absl::Time now, Seen* seen) {
  if (phase == seen->phase) return;
  const bool was_a_phase =
      seen->phase != RoundPhase::kCommitted && seen->phase != RoundPhase::kAborted;
  const double seconds = absl::ToDoubleSeconds(now - seen->phase_since);
  if (was_a_phase) registry_.Observe(kPhaseDuration, {PhaseName(seen->phase)}, seconds);
  if (seen->phase == RoundPhase::kAggregating) {
    registry_.Observe(kAggregationDuration, {}, seconds);
  }
  seen->phase = phase;
  seen->phase_since = now;
}

void JobMetrics::CountParticipants(const RoundState& round, Seen* seen) {
  for (const auto& [worker, participant] : round.participants) {
    const auto [it, is_new] = seen->participants.try_emplace(worker, ParticipantState::kInvited);
    if (participant.state == it->second) continue;
    it->second = participant.state;
    const std::string member = MemberOf(worker).value();
    switch (participant.state) {
      case ParticipantState::kAccepted:
        registry_.Add(kUpdatesAccepted, {member});
        break;
      case ParticipantState::kRefused:
        registry_.Add(kUpdatesRefused, {member, RefusalReasonOf(participant.reason)});
        break;
      case ParticipantState::kDeclined:
      case ParticipantState::kFailed:
      case ParticipantState::kMissing:
      case ParticipantState::kSkipped:
        registry_.Add(kTasksLost, {member, ParticipantStateName(participant.state)});
        break;
      case ParticipantState::kInvited:
      case ParticipantState::kWorking:
      case ParticipantState::kUnfinished:
        break;
    }
  }
}

void JobMetrics::CountEndOf(const RoundState& round) {
  const absl::string_view outcome = PhaseName(round.phase);
  registry_.Add(kRounds, {outcome});
  if (round.opened_at == absl::InfinitePast()) return;  // It was never opened.
  // Times of the journal, by a wall clock that may have been set back meanwhile.
  const absl::Duration duration = std::max(round.ended_at - round.opened_at, absl::ZeroDuration());
  registry_.Observe(kRoundDuration, {outcome}, absl::ToDoubleSeconds(duration));
}

absl::Time JobMetrics::LastChangeOf(const JobId& job,
                                    const std::map<WorkerId, engine::WorkerProgress>& progress) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  const auto it = running_.find(job);
  if (it == running_.end()) return absl::InfinitePast();
  Seen& seen = it->second;
  for (const auto& [worker, reported] : progress) {
    const std::pair<std::string, uint64_t> last(reported.activity, reported.step);
    const auto [known, is_new] = seen.progress.try_emplace(worker);
    if (!is_new && known->second == last) continue;
    known->second = last;
    seen.changed_at = now;
  }
  return seen.changed_at;
}

}  // namespace entente::metrics
