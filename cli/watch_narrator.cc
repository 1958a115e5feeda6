// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_narrator.h"

#include "absl/strings/str_cat.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"

namespace entente::cli {
namespace {

std::string RoundName(const v1::Job& job, const v1::Round& round) {
  return absl::StrCat("round ", round.round_index() + 1, "/", job.round_count(),
                      round.attempt() > 1 ? absl::StrCat(" (attempt ", round.attempt(), ")") : "");
}

std::string CommittedLine(const v1::Job& job, const v1::Round& round) {
  const std::string metrics = MetricsText(round);
  return absl::StrCat(RoundName(job, round), " committed: ", metrics, metrics.empty() ? "" : ", ",
                      Plural(round.updates_accepted(), "update"), ", ", BytesText(round.bytes_up()),
                      " up");
}

std::string EndLine(const WatchPicture& picture) {
  const v1::Job& job = picture.job;
  return absl::StrCat("job ", Printable(job.id()), " ", JobStateWord(job.state()), " after ",
                      ShortDuration(Elapsed(job, picture.now)), ", ",
                      Plural(job.rounds_committed(), "round"),
                      job.reason().empty() ? "" : absl::StrCat(": ", Printable(job.reason())));
}

// States that a person should hear of when a worker enters them.
bool IsWorthTelling(v1::ParticipantState state) {
  return state == v1::PARTICIPANT_STATE_DECLINED || state == v1::PARTICIPANT_STATE_REFUSED ||
         state == v1::PARTICIPANT_STATE_MISSING || state == v1::PARTICIPANT_STATE_FAILED ||
         state == v1::PARTICIPANT_STATE_SKIPPED;
}

}  // namespace

std::vector<std::string> WatchNarrator::Tell(const WatchPicture& picture) {
  std::vector<std::string> lines;
  const v1::Job& job = picture.job;
  if (!started_) {
    lines.push_back(absl::StrCat("job ", Printable(job.id()), " ", JobStateWord(job.state()), ": ",
                                 job.rounds_committed(), " of ", Plural(job.round_count(), "round"),
                                 " committed"));
    started_ = true;
  }
  if (picture.note != note_) {
    note_ = picture.note;
    if (!note_.empty()) lines.push_back(Printable(note_));
  }
  TellPause(job, &lines);
  TellCommitted(picture, &lines);
  if (job.has_round()) TellRound(job, &lines);
  if (HasEnded(job) && !ended_) {
    ended_ = true;
    lines.push_back(EndLine(picture));
  }
  return lines;
}

void WatchNarrator::TellCommitted(const WatchPicture& picture, std::vector<std::string>* lines) {
  for (; committed_told_ < picture.committed.size(); ++committed_told_) {
    lines->push_back(CommittedLine(picture.job, picture.committed[committed_told_]));
  }
}

void WatchNarrator::TellPause(const v1::Job& job, std::vector<std::string>* lines) {
  const bool is_paused = job.state() == v1::JOB_STATE_PAUSED;
  if (is_paused == paused_ || HasEnded(job)) return;
  paused_ = is_paused;
  lines->push_back(is_paused
                       ? absl::StrCat("job ", Printable(job.id()), " paused",
                                      job.reason().empty() ? "" : ": ", Printable(job.reason()))
                       : absl::StrCat("job ", Printable(job.id()), " goes on"));
}

void WatchNarrator::TellRound(const v1::Job& job, std::vector<std::string>* lines) {
  const v1::Round& round = job.round();
  const bool other_round = round.round_index() != round_index_ || round.attempt() != attempt_;
  if (other_round) {
    participants_.clear();
    updates_accepted_ = 0;
    phase_ = v1::ROUND_PHASE_UNSPECIFIED;
  }
  TellParticipants(job, lines);
  // Committed rounds are told with their numbers, once those are known; how the last round ended is
  // told with the job's end.
  const bool changed = round.phase() != phase_ || round.updates_accepted() != updates_accepted_;
  if (changed && round.phase() != v1::ROUND_PHASE_COMMITTED && !HasEnded(job)) {
    const std::string& why = round.waiting_for().empty() ? round.reason() : round.waiting_for();
    lines->push_back(absl::StrCat(RoundName(job, round), " ", RoundPhaseWord(round.phase()),
                                  why.empty() ? "" : ": ", Printable(why)));
  }
  round_index_ = round.round_index();
  attempt_ = round.attempt();
  phase_ = round.phase();
  updates_accepted_ = round.updates_accepted();
}

void WatchNarrator::TellParticipants(const v1::Job& job, std::vector<std::string>* lines) {
  for (const v1::Participant& participant : job.round().participants()) {
    v1::ParticipantState& told = participants_[participant.worker()];
    if (participant.state() == told) continue;
    told = participant.state();
    if (!IsWorthTelling(told)) continue;
    lines->push_back(absl::StrCat(RoundName(job, job.round()), " ", Printable(participant.worker()),
                                  " ", ParticipantStateWord(told),
                                  participant.reason().empty() ? "" : ": ",
                                  Printable(participant.reason())));
  }
}

}  // namespace entente::cli
