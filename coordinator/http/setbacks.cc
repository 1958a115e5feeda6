// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/setbacks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/engine/job_engine.h"

namespace entente::dashboard {
namespace {

// What may end an attempt and does not say that it did.
bool MayBeSetback(const store::JournalEntry& entry) {
  return entry.record.has_round() || entry.record.paused().now();
}

std::string SetbackOf(const rounds::RoundState& round, const jobs::JobState& job) {
  const bool is_last =
      round.round_index == job.round.round_index && round.attempt == job.round.attempt;
  return is_last && job.status == jobs::JobStatus::kFailed
             ? absl::StrCat("the job has failed: ", job.reason)
             : absl::StrCat("attempt ", round.attempt, " was aborted: ", round.reason);
}

}  // namespace

std::string Setbacks::Of(const store::JournalEntry& entry) {
  if (!MayBeSetback(entry)) return "";
  const JobSetbacks& job = OfJob(entry.job);
  const auto it = job.by_sequence.find(entry.sequence);
  if (it == job.by_sequence.end()) return "";
  // A pause gives the reason itself.
  return entry.record.has_paused() ? absl::StrCat("attempt ", it->second.attempt, " was broken off")
                                   : it->second.sentence;
}

bool Setbacks::IsKnown(const store::JournalEntry& entry) {
  if (!MayBeSetback(entry)) return true;
  const JobSetbacks& job = OfJob(entry.job);
  return !job.is_there || entry.sequence <= job.sequence;
}

const Setbacks::JobSetbacks& Setbacks::OfJob(const JobId& id) {
  const auto [it, is_new] = of_jobs_.try_emplace(id);
  if (!is_new) return it->second;
  const auto job = jobs_.Find(id);
  if (!job.ok()) return it->second;
  // The history first: a job that fails after that look fails with an attempt that is not in it.
  const engine::JobHistory history = (*job)->History();
  const engine::JobView view = (*job)->View();
  it->second.is_there = true;
  it->second.sequence = history.sequence;
  for (size_t i = 0; i < history.rounds.size(); ++i) {
    const rounds::RoundState& round = *history.rounds[i];
    if (round.phase != rounds::RoundPhase::kAborted) continue;
    it->second.by_sequence[history.chronicles[i]->sequence_last] = {
        .attempt = round.attempt, .sentence = SetbackOf(round, *view.state)};
  }
  return it->second;
}

}  // namespace entente::dashboard
