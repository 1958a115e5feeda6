// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_report.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"

namespace entente::rounds {
namespace {

constexpr size_t kNamesMax = 6;  // More do not fit a line; the rest is counted.

bool IsAwaited(const RoundState& state, const Participant& participant) {
  if (state.phase == RoundPhase::kEvaluating) return participant.evaluation_awaited;
  return participant.IsAskedOrWorking() || (state.phase == RoundPhase::kCollecting &&
                                            participant.state == ParticipantState::kMissing);
}

bool IsToday(absl::Time at, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  return absl::ToCivilDay(at, utc) == absl::ToCivilDay(now, utc);
}

// At most kNamesMax of them; the rest is counted.
std::string Listed(std::vector<std::string> names) {
  const size_t more = names.size() > kNamesMax ? names.size() - kNamesMax : 0;
  names.resize(names.size() - more);
  return absl::StrCat(absl::StrJoin(names, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

// "training, step 40 of 200", "uploading, 12 %", "preparing".
std::string ActivityText(const Activity& activity) {
  if (activity.step_count == 0) return activity.name;
  // What moves files counts bytes, of which nobody wants to read the number.
  if (activity.name == "downloading" || activity.name == "uploading") {
    const double share =
        static_cast<double>(activity.step) / static_cast<double>(activity.step_count);
    return absl::StrCat(activity.name, ", ", static_cast<int>(100 * std::min(1.0, share)), " %");
  }
  return absl::StrCat(activity.name, ", step ", activity.step, " of ", activity.step_count);
}

std::string AwaitedNames(const RoundState& state, const WaitCircumstances& circumstances,
                         absl::Time now) {
  std::vector<std::string> names;
  for (const auto& [worker, participant] : state.participants) {
    if (!IsAwaited(state, participant)) continue;
    const auto activity = circumstances.activities.find(worker);
    const auto detached = circumstances.detached.find(worker);
    std::string note;
    if (participant.state == ParticipantState::kMissing) {
      note = " (missing)";
    } else if (detached != circumstances.detached.end()) {
      note = absl::StrCat(" (not attached since ", ClockText(detached->second, now), ")");
    } else if (activity != circumstances.activities.end() && !activity->second.name.empty()) {
      note = absl::StrCat(" (", ActivityText(activity->second), ")");
    }
    names.push_back(absl::StrCat(worker.value(), note));
  }
  return Listed(std::move(names));
}

// "; fr-lab/w is away until Mon 30 Nov 08:00 UTC", or nothing.
std::string AwayNames(const WaitCircumstances& circumstances) {
  std::vector<std::string> names;
  for (const auto& [worker, away] : circumstances.away) {
    names.push_back(absl::StrCat(worker.value(), " is ", away));
  }
  return names.empty() ? "" : absl::StrCat("; ", Listed(std::move(names)));
}

// "in 41s, at 14:05:10 UTC"; with the day if it is not the same one.
std::string When(absl::Time at, absl::Time now) {
  const absl::Duration left = absl::Trunc(at - now, absl::Seconds(1));
  if (left <= absl::ZeroDuration()) return "in 0";
  const absl::TimeZone utc = absl::UTCTimeZone();
  return absl::StrCat(
      "in ", absl::FormatDuration(left), ", ",
      absl::FormatTime(IsToday(at, now) ? "at %H:%M:%S UTC" : "on %a %d %b at %H:%M:%S UTC", at,
                       utc));
}

std::string Needed(const RoundPolicy& policy) {
  return policy.quorum_count.has_value() ? absl::StrCat(", ", *policy.quorum_count, " needed") : "";
}

// What the updates are not combined yet for: the coordinator, or room for what it writes.
std::string CombiningWait(const std::optional<Combining>& combining, absl::Time now) {
  if (!combining.has_value() || !combining->no_room_since.has_value()) {
    return "waiting for the coordinator to combine the updates";
  }
  return absl::StrCat("waiting for room on the coordinator's disk to combine the updates, since ",
                      ClockText(*combining->no_room_since, now));
}

// "; try 2 failed (an error of the disk), and the next begins in 2s, at 14:05:10 UTC", or nothing.
std::string CombiningText(const std::optional<Combining>& combining, absl::Time now) {
  if (!combining.has_value()) return "";
  const std::string tries = absl::StrCat("try ", combining->tries);
  switch (combining->stage) {
    case Combining::Stage::kRuns:
      return absl::StrCat(
          "; ", tries, " began at ",
          absl::FormatTime("%H:%M:%S UTC", combining->began_at, absl::UTCTimeZone()),
          combining->failure.empty() ? "" : ", the one before failed: ", combining->failure);
    case Combining::Stage::kPauses:
      return absl::StrCat("; ", tries, " failed (", combining->failure, "), and the next begins ",
                          When(combining->next_try_at, now));
    case Combining::Stage::kSearches:
      return absl::StrCat("; ", tries, " failed for good (", combining->failure,
                          "), and updates that were lost are looked for");
  }
  return "";
}

// "; the journal could not be written ...; it is tried again every 1s", or nothing.
std::string JournalText(const std::string& failure) {
  if (failure.empty()) return "";
  return absl::StrCat("; ", failure, "; it is tried again every ",
                      absl::FormatDuration(limits::kJournalRetryPause));
}

// The sentence of a journal that takes events.
std::string WaitText(const RoundState& state, const WaitCircumstances& circumstances,
                     absl::Time now) {
  const std::string then_paused =
      circumstances.job_is_paused ? "; the job is paused, and opens no round after this one" : "";
  const bool is_due = now >= state.closes_at;
  switch (state.phase) {
    case RoundPhase::kPlanned:
      if (circumstances.job_is_paused) {
        return "waiting for the job to be resumed; a paused job has no deadline";
      }
      if (circumstances.rests_until.has_value()) {
        return absl::StrCat("resting before attempt ", state.attempt,
                            ", since the one before was aborted; it opens ",
                            When(*circumstances.rests_until, now));
      }
      return absl::StrCat("waiting for enough workers with the data set: ",
                          circumstances.workers_available, " there", Needed(state.policy),
                          AwayNames(circumstances), "; gives up ", When(state.closes_at, now));
    case RoundPhase::kCollecting:
    case RoundPhase::kGrace:
      return absl::StrCat("waiting for ", AwaitedNames(state, circumstances, now), "; ",
                          state.CountIn(ParticipantState::kAccepted), " of ",
                          state.participants.size() - state.CountIn(ParticipantState::kSkipped),
                          " in, ", state.updates_required, " needed", then_paused, "; closes ",
                          When(state.closes_at, now), is_due ? "" : ", or when all are in");
    case RoundPhase::kAggregating:
      return absl::StrCat(CombiningWait(circumstances.combining, now),
                          CombiningText(circumstances.combining, now), then_paused);
    case RoundPhase::kEvaluating:
      return absl::StrCat("waiting for the evaluations of ",
                          AwaitedNames(state, circumstances, now), then_paused, "; closes ",
                          When(state.closes_at, now), is_due ? "" : ", or when all are in");
    case RoundPhase::kCommitted:
    case RoundPhase::kAborted:
      return "";
  }
  return "";
}

}  // namespace

std::string ClockText(absl::Time at, absl::Time now) {
  return absl::FormatTime(IsToday(at, now) ? "%H:%M:%S UTC" : "%a %d %b %H:%M:%S UTC", at,
                          absl::UTCTimeZone());
}

std::string WaitingFor(const RoundState& state, const WaitCircumstances& circumstances,
                       absl::Time now) {
  const std::string wait = WaitText(state, circumstances, now);
  return wait.empty() ? "" : absl::StrCat(wait, JournalText(circumstances.journal_failure));
}

std::optional<Metrics> CombinedEvaluation(const RoundState& state) {
  // The claimed numbers of examples may be any: their sum must not wrap, nor a loss overflow.
  double total = 0;
  double accuracy_total = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (!participant.evaluation.has_value()) continue;
    const auto examples = static_cast<double>(participant.evaluation->examples);
    total += examples;
    if (participant.evaluation->accuracy.has_value()) accuracy_total += examples;
  }
  if (total == 0) return std::nullopt;
  Metrics sum;
  double accuracy = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (!participant.evaluation.has_value()) continue;
    const Metrics& one = *participant.evaluation;
    const auto examples = static_cast<double>(one.examples);
    sum.examples += std::min(one.examples, std::numeric_limits<uint64_t>::max() - sum.examples);
    sum.loss += one.loss * (examples / total);
    if (one.accuracy.has_value()) accuracy += *one.accuracy * (examples / accuracy_total);
  }
  if (accuracy_total > 0) sum.accuracy = accuracy;
  return sum;
}

double CombinedTrainingLoss(const RoundState& state) {
  double total = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (participant.state == ParticipantState::kAccepted) {
      total += static_cast<double>(participant.update.examples);
    }
  }
  if (total == 0) return 0;
  double loss = 0;
  for (const auto& [worker, participant] : state.participants) {
    if (participant.state != ParticipantState::kAccepted) continue;
    const auto examples = static_cast<double>(participant.update.examples);
    loss += participant.update.training_loss * (examples / total);
  }
  return loss;
}

}  // namespace entente::rounds
