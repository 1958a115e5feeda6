// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/journal_line.h"

#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "coordinator/jobs/job_machine.h"
#include "coordinator/store/record_converter.h"

namespace entente::dashboard {
namespace {

absl::string_view ToneName(Tone tone) {
  static constexpr std::array<absl::string_view, 3> kNames = {"good", "neutral", "bad"};
  return kNames[static_cast<size_t>(tone)];
}

std::string MetricsText(const rounds::Metrics& metrics) {
  const std::string loss = absl::StrFormat("loss %.4g", metrics.loss);
  return metrics.accuracy.has_value()
             ? absl::StrFormat("accuracy %.2f %%, %s", 100 * *metrics.accuracy, loss)
             : loss;
}

// What each event of a round says.
struct RoundSentence {
  JournalLine& line;

  void Say(Tone tone, const WorkerId& worker, std::string sentence) const {
    line.tone = tone;
    line.worker = worker.value();
    line.sentence = std::move(sentence);
  }
  void Say(Tone tone, std::string sentence) const { Say(tone, WorkerId(), std::move(sentence)); }
  void SayWhy(Tone tone, const WorkerId& worker, absl::string_view what,
              const std::string& reason) const {
    Say(tone, worker, absl::StrCat(worker.value(), " ", what, ": ", reason));
  }

  void operator()(const rounds::Opened& event) const {
    Say(Tone::kNeutral,
        absl::StrCat("the round opened; ", event.cohort.size(),
                     event.cohort.size() == 1 ? " worker was" : " workers were", " asked"));
  }
  void operator()(const rounds::TaskAccepted& event) const {
    Say(Tone::kNeutral, event.worker, absl::StrCat(event.worker.value(), " took the task"));
  }
  void operator()(const rounds::TaskDeclined& event) const {
    SayWhy(Tone::kBad, event.worker, "declined the task", event.reason);
  }
  void operator()(const rounds::UpdateAccepted& event) const {
    const std::optional<double> norm = event.update.norm;
    Say(Tone::kGood, event.worker,
        absl::StrFormat(
            "%s sent an update, which was accepted: %s, %d examples, training loss %.4g%s",
            event.worker.value(), BytesText(event.update.BytesUp()), event.update.examples,
            event.update.training_loss,
            norm.has_value() ? absl::StrFormat(", norm %.4g", *norm) : ""));
  }
  void operator()(const rounds::UpdateRefused& event) const {
    SayWhy(Tone::kBad, event.worker, "sent an update, which was refused", event.reason);
  }
  void operator()(const rounds::WorkerMissing& event) const {
    SayWhy(Tone::kBad, event.worker, "is missing", event.reason);
  }
  void operator()(const rounds::WorkerFailed& event) const {
    SayWhy(Tone::kBad, event.worker, "failed its task", event.reason);
  }
  void operator()(const rounds::WorkerSkipped& event) const {
    SayWhy(Tone::kNeutral, event.worker, "is skipped", event.reason);
  }
  void operator()(const rounds::WorkerReturned& event) const {
    Say(Tone::kGood, event.worker, absl::StrCat(event.worker.value(), " is back"));
  }
  void operator()(const rounds::DeadlineChecked&) const {
    Say(Tone::kNeutral, "the time of the phase was over");
  }
  void operator()(const rounds::Aggregated& event) const {
    Say(Tone::kGood, absl::StrCat(event.weights.size(),
                                  event.weights.size() == 1 ? " update was" : " updates were",
                                  " combined into model ", event.model.ToHex().substr(0, 12)));
  }
  void operator()(const rounds::UpdateLost& event) const {
    SayWhy(Tone::kBad, event.worker, "was asked again, for its update was lost", event.reason);
  }
  void operator()(const rounds::AbsenceAwaited& event) const {
    Say(Tone::kNeutral, absl::StrCat("the round waits for who is away: ", event.reason));
  }
  void operator()(const rounds::AggregationFailed& event) const {
    Say(Tone::kBad, absl::StrCat("the updates could not be combined: ", event.reason));
  }
  void operator()(const rounds::Evaluated& event) const {
    Say(Tone::kGood, event.worker,
        absl::StrCat(event.worker.value(),
                     " evaluated the new model: ", MetricsText(event.metrics)));
  }
  void operator()(const rounds::EvaluationFailed& event) const {
    SayWhy(Tone::kBad, event.worker, "did not evaluate the new model", event.reason);
  }
  void operator()(const rounds::Cancelled& event) const {
    Say(Tone::kBad, absl::StrCat("the round was cancelled: ", event.reason));
  }
};

struct JobSentence {
  const store::JournalEntry& entry;
  JournalLine& line;

  void Say(absl::string_view event, Tone tone, std::string sentence) const {
    line.event = std::string(event);
    line.tone = tone;
    line.sentence = std::move(sentence);
  }

  void operator()(const jobs::Submitted&) const {
    const storage::v1::JobSubmitted& submitted = entry.record.submitted();
    Say("submitted", Tone::kGood,
        absl::StrCat(submitted.submitter(), " submitted the job: ", submitted.recipe().rounds(),
                     " rounds of ", submitted.recipe().dataset()));
  }
  void operator()(const jobs::RoundHappened& event) const {
    line.event = std::string(rounds::EventName(event.event));
    line.round_index = event.round_index;
    line.attempt = event.attempt;
    std::visit(RoundSentence{line}, event.event);
  }
  void operator()(const jobs::JobCancelled& event) const {
    Say("job cancelled", Tone::kBad, absl::StrCat("the job was ", event.reason));
  }
  void operator()(const jobs::JobPaused& event) const {
    Say("job paused", Tone::kNeutral, absl::StrCat("the job was ", event.reason));
  }
  void operator()(const jobs::JobResumed& event) const {
    Say("job resumed", Tone::kGood, absl::StrCat("the job was ", event.reason));
  }
  void operator()(const jobs::CoordinatorStarted& event) const {
    const std::string version =
        event.version.empty() ? "" : absl::StrCat(", version ", event.version);
    Say("coordinator started", event.after_a_crash ? Tone::kBad : Tone::kNeutral,
        absl::StrCat("the coordinator was started again", version,
                     event.after_a_crash
                         ? ", after a kill, a crash, a power cut or a failure of its disk: "
                         : ": ",
                     event.standing));
  }
};

}  // namespace

std::vector<absl::string_view> EventNames() {
  std::vector<absl::string_view> names = {"submitted",   "job cancelled",       "job paused",
                                          "job resumed", "coordinator started", "unreadable"};
  const absl::Span<const absl::string_view> of_rounds = rounds::EventNames();
  names.insert(names.end(), of_rounds.begin(), of_rounds.end());
  return names;
}

std::string BytesText(uint64_t bytes) {
  static constexpr std::array<absl::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 999.5 && unit + 1 < kUnits.size(); ++unit) amount /= 1000;
  return unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.3g %s", amount, kUnits[unit]);
}

JournalLine LineOf(const store::JournalEntry& entry, absl::string_view setback) {
  JournalLine line;
  const auto event = store::FromRecord(entry.record);
  if (event.ok()) {
    std::visit(JobSentence{entry, line}, *event);
  } else {
    line = {.event = "unreadable",
            .tone = Tone::kBad,
            .sentence = std::string(event.status().message())};
  }
  if (!setback.empty()) {
    line.tone = Tone::kBad;
    absl::StrAppend(&line.sentence, "; ", setback);
  }
  return line;
}

nlohmann::ordered_json LineJson(const store::JournalEntry& entry, uint64_t position,
                                absl::string_view setback) {
  const JournalLine line = LineOf(entry, setback);
  nlohmann::ordered_json json;
  if (position > 0) json["position"] = position;
  json["jobId"] = entry.job.value();
  json["sequence"] = entry.sequence;
  json["at"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", entry.at, absl::UTCTimeZone());
  json["event"] = line.event;
  json["tone"] = std::string(ToneName(line.tone));
  if (!line.worker.empty()) json["worker"] = line.worker;
  if (line.attempt > 0) {
    json["round"] = line.round_index + 1;
    json["attempt"] = line.attempt;
  }
  json["sentence"] = line.sentence;
  return json;
}

bool Fits(const LineFilter& filter, const JournalLine& line) {
  if (filter.bad_only && line.tone != Tone::kBad) return false;
  if (!filter.event.empty() && filter.event != line.event) return false;
  if (!absl::StartsWith(line.worker, filter.worker)) return false;
  const std::string text =
      absl::AsciiStrToLower(absl::StrCat(line.event, " ", line.worker, " ", line.sentence));
  return absl::StrContains(text, absl::AsciiStrToLower(filter.text));
}

}  // namespace entente::dashboard
