// SPDX-License-Identifier: Apache-2.0
#include "cli/job_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/text_layout.h"
#include "common/config/enum_words.h"
#include "common/config/proto_time.h"
#include "google/protobuf/generated_enum_reflection.h"

namespace entente::cli {
namespace {

// A value that this program is too old to know shows as its number.
template <typename Enum>
std::string Word(Enum value) {
  if (static_cast<int>(value) == 0) return "";
  const auto* found =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(static_cast<int>(value));
  return found == nullptr ? absl::StrCat(static_cast<int>(value)) : EnumWord(*found);
}

}  // namespace

std::string JobStateWord(v1::JobState state) { return Word(state); }
std::string RoundPhaseWord(v1::RoundPhase phase) { return Word(phase); }
std::string ParticipantStateWord(v1::ParticipantState state) { return Word(state); }

bool HasEnded(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_COMPLETED || job.state() == v1::JOB_STATE_FAILED ||
         job.state() == v1::JOB_STATE_CANCELLED;
}

std::string RoundPosition(const v1::Job& job) {
  const uint32_t round = job.has_round() ? job.round().round_index() + 1 : 0;
  return absl::StrCat(std::max(round, job.rounds_committed()), "/", job.round_count());
}

std::string MetricsText(const v1::Metrics& metrics) {
  if (metrics.examples() == 0) return "";
  std::string text = absl::StrCat("loss ", LossText(metrics.loss()));
  if (metrics.has_accuracy())
    absl::StrAppend(&text, ", accuracy ", PercentText(metrics.accuracy()));
  return text;
}

std::string MetricsText(const v1::Round& round) {
  if (round.evaluation().examples() > 0) return MetricsText(round.evaluation());
  if (round.training_loss() == 0) return "";
  return absl::StrCat("training loss ", LossText(round.training_loss()));
}

RoundLosses LossesOf(const std::vector<v1::Round>& rounds) {
  RoundLosses held_out = {.name = "loss", .values = {}};
  RoundLosses training = {.name = "training loss", .values = {}};
  for (const v1::Round& round : rounds) {
    training.values.push_back(round.training_loss());
    if (round.evaluation().examples() > 0) held_out.values.push_back(round.evaluation().loss());
  }
  return held_out.values.empty() ? training : held_out;
}

absl::Duration Elapsed(const v1::Job& job, absl::Time now) {
  const absl::Time end = job.has_ended_at() ? ToTime(job.ended_at()) : now;
  return std::max(absl::ZeroDuration(), end - ToTime(job.submitted_at()));
}

bool IsLate(const v1::Job& job, absl::Time now) {
  if (HasEnded(job) || !job.has_expected_end_at() || job.round_count() == 0) return false;
  const absl::Time submitted = ToTime(job.submitted_at());
  const absl::Time end = ToTime(job.expected_end_at());
  const absl::Duration each = (end - submitted) / job.round_count();
  // Twice as long as a round is expected to take: rounds differ.
  return now >= std::min(end, submitted + each * (job.rounds_committed() + 2));
}

std::string AgeText(absl::Time time, absl::Time now) {
  return absl::StrCat(ShortDuration(now - time), " ago");
}

std::string ShortDigest(absl::string_view digest) { return std::string(digest.substr(0, 12)); }

}  // namespace entente::cli
