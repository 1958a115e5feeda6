// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "coordinator/jobs/job_machine.h"

namespace entente::scenarios {
namespace {

using Words = std::vector<std::string>;

// Splits at spaces; quotes keep a word together and are dropped.
absl::StatusOr<Words> SplitWords(absl::string_view line) {
  Words words;
  std::string word;
  bool quoted = false;
  bool begun = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      begun = true;
    } else if (!quoted && c == '#') {
      break;
    } else if (!quoted && c == ' ') {
      if (begun) words.push_back(std::exchange(word, ""));
      begun = false;
    } else {
      word.push_back(c);
      begun = true;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote is not closed");
  if (begun) words.push_back(word);
  return words;
}

Digest FakeDigest(const std::string& of) { return Sha256Of(of); }

class Story {
 public:
  absl::Status Run(const Words& words) {
    const std::string& command = words[0];
    if (command != "expect") {
      ENTENTE_RETURN_IF_ERROR(CheckNoOpenRefusal());
      effects_.clear();
    }
    if (command == "workers") return SetWorkers(words);
    if (command == "job") return StartJob(words);
    if (command == "wait") return Wait(words);
    if (command == "expect") return Expect(words);
    ENTENTE_ASSIGN_OR_RETURN(const jobs::JobEvent event, EventOf(words));
    Feed(event);
    return absl::OkStatus();
  }

  absl::Status CheckNoOpenRefusal() {
    if (refused_.ok()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("the line before was refused, and no expect said so: ", refused_.ToString()));
  }

 private:
  absl::Status SetWorkers(const Words& words) {
    for (size_t i = 1; i < words.size(); ++i) workers_.emplace_back(words[i]);
    return absl::OkStatus();
  }

  // "a=b" words behind the command.
  static std::map<std::string, std::string> Options(const Words& words) {
    std::map<std::string, std::string> options;
    for (const std::string& word : words) {
      const std::pair<std::string, std::string> pair =
          absl::StrSplit(word, absl::MaxSplits('=', 1));
      if (absl::StrContains(word, '=')) options.insert(pair);
    }
    return options;
  }

  absl::Status StartJob(const Words& words) {
    jobs::JobPlan plan{
        .round_count = 1, .attempts_max = 1, .evaluates_every = 0, .round_policy = {}};
    for (const auto& [name, value] : Options(words)) {
      uint32_t number = 0;
      absl::Duration duration;
      double share = 0;
      if (name == "share" && absl::SimpleAtod(value, &share)) {
        plan.round_policy.quorum_share = share;
      } else if (name == "evaluate") {
        plan.evaluates_every = value == "yes" ? 1 : 0;
      } else if (name == "absences") {
        excuses_absence_ = value != "counted";
      } else if (name == "deadline" && absl::ParseDuration(value, &duration)) {
        plan.round_policy.deadline = duration;
      } else if (name == "grace" && absl::ParseDuration(value, &duration)) {
        plan.round_policy.grace = duration;
      } else if (name == "quorum" && absl::SimpleAtoi(value, &number)) {
        plan.round_policy.quorum_count = number;
      } else if (name == "rounds" && absl::SimpleAtoi(value, &number)) {
        plan.round_count = number;
      } else if (name == "attempts" && absl::SimpleAtoi(value, &number)) {
        plan.attempts_max = number;
      } else {
        return absl::InvalidArgumentError(absl::StrCat("job does not know ", name, "=", value));
      }
    }
    Feed(jobs::Submitted{.plan = plan, .initial_model = FakeDigest("initial")});
    return absl::OkStatus();
  }

  absl::Status Wait(const Words& words) {
    absl::Duration by;
    if (words.size() != 2 || !absl::ParseDuration(words[1], &by)) {
      return absl::InvalidArgumentError("wait needs a duration");
    }
    now_ += by;
    // As the engine does: a timer that comes early says nothing.
    if (!state_.HasEnded() && now_ >= state_.round.closes_at)
      Feed(Happened(rounds::DeadlineChecked{}));
    return absl::OkStatus();
  }

  jobs::RoundHappened Happened(rounds::RoundEvent event) const {
    return {.round_index = state_.round.round_index,
            .attempt = state_.round.attempt,
            .event = std::move(event),
            .excuses_absence = excuses_absence_};
  }

  absl::StatusOr<jobs::JobEvent> EventOf(const Words& words) const {
    const std::string& command = words[0];
    const std::string first = words.size() > 1 ? words[1] : "";
    const std::string second = words.size() > 2 ? words[2] : "";
    const WorkerId worker(first);
    if (command == "open") {
      std::vector<WorkerId> cohort;
      for (size_t i = 1; i < words.size(); ++i) cohort.emplace_back(words[i]);
      return Happened(rounds::Opened{cohort.empty() ? workers_ : cohort});
    }
    if (command == "accept") return Happened(rounds::TaskAccepted{worker});
    if (command == "decline") return Happened(rounds::TaskDeclined{worker, second});
    if (command == "refuse") return Happened(rounds::UpdateRefused{worker, second});
    if (command == "lose") return Happened(rounds::UpdateLost{worker, second});
    if (command == "silence") return Happened(rounds::WorkerMissing{worker, "silent"});
    if (command == "fail") return Happened(rounds::WorkerFailed{worker, second});
    if (command == "skip") return Happened(rounds::WorkerSkipped{worker, second});
    if (command == "return") return Happened(rounds::WorkerReturned{worker});
    if (command == "await") return AbsenceOf(first, second);
    if (command == "upload") return UploadOf(worker, Options(words));
    if (command == "aggregated") return AggregatedNow();
    if (command == "aggregation-failed") return Happened(rounds::AggregationFailed{first});
    if (command == "evaluated") return EvaluatedBy(worker, Options(words));
    if (command == "evaluation-failed") return Happened(rounds::EvaluationFailed{worker, second});
    if (command == "cancel") return jobs::JobCancelled{first};
    if (command == "pause") return jobs::JobPaused{.reason = first, .now = second == "now"};
    if (command == "resume") return jobs::JobResumed{first};
    return absl::InvalidArgumentError(absl::StrCat("unknown command ", command));
  }

  absl::StatusOr<jobs::JobEvent> AbsenceOf(const std::string& text,
                                           const std::string& reason) const {
    absl::Duration duration;
    if (!absl::ParseDuration(text, &duration)) {
      return absl::InvalidArgumentError("await needs a duration");
    }
    return Happened(rounds::AbsenceAwaited{.until = now_ + duration, .reason = reason});
  }

  absl::StatusOr<jobs::JobEvent> UploadOf(const WorkerId& worker,
                                          const std::map<std::string, std::string>& options) const {
    rounds::UpdateAccepted accepted{.worker = worker, .update = {}};
    jobs::RoundHappened happened = Happened(accepted);
    for (const auto& [name, value] : options) {
      uint32_t number = 0;
      if (!absl::SimpleAtoi(value, &number)) {
        return absl::InvalidArgumentError(absl::StrCat(name, " needs a number"));
      }
      if (name == "examples") accepted.update.examples = number;
      if (name == "round") happened.round_index = number - 1;
      if (name == "attempt") happened.attempt = number;
    }
    accepted.update.digest = FakeDigest(worker.value());
    happened.event = accepted;
    return happened;
  }

  jobs::JobEvent AggregatedNow() const {
    rounds::Aggregated aggregated{
        .model = FakeDigest(absl::StrCat("model ", state_.rounds_committed)),
        .optimizer_state = {},
        .weights = {}};
    const double count = state_.round.CountIn(rounds::ParticipantState::kAccepted);
    for (const auto& [worker, participant] : state_.round.participants) {
      if (participant.state == rounds::ParticipantState::kAccepted) {
        aggregated.weights[worker] = 1 / count;
      }
    }
    return Happened(aggregated);
  }

  absl::StatusOr<jobs::JobEvent> EvaluatedBy(
      const WorkerId& worker, const std::map<std::string, std::string>& options) const {
    rounds::Metrics metrics{.examples = 10, .loss = 0, .accuracy = 0.0};
    for (const auto& [name, value] : options) {
      double number = 0;
      if (!absl::SimpleAtod(value, &number)) return absl::InvalidArgumentError("needs a number");
      if (name == "loss") metrics.loss = number;
      if (name == "accuracy") metrics.accuracy = number;
    }
    return Happened(rounds::Evaluated{worker, metrics});
  }

  void Feed(const jobs::JobEvent& event) {
    auto step = jobs::Step(state_, event, now_);
    refused_ = step.status();
    if (!step.ok()) return;
    state_ = std::move(step->next);
    log_.push_back(step->reason);
    if (step->ended_round.has_value()) {
      ended_ = step->ended_round;
      log_.push_back(absl::StrCat("round ", ended_->round_index + 1, ": ", ended_->reason));
    }
    for (const jobs::JobEffect& effect : step->effects) effects_.push_back(EffectText(effect));
  }

  static std::string EffectText(const jobs::JobEffect& effect) {
    if (std::holds_alternative<jobs::TryToOpenRound>(effect)) return "open";
    if (std::holds_alternative<jobs::ForgetUpdates>(effect)) return "forget";
    const auto& round_effect = std::get<rounds::RoundEffect>(effect);
    if (const auto* e = std::get_if<rounds::SendTrainingTask>(&round_effect)) {
      return absl::StrCat("train ", e->worker.value());
    }
    if (const auto* e = std::get_if<rounds::SendEvaluationTask>(&round_effect)) {
      return absl::StrCat("evaluate ", e->worker.value());
    }
    if (const auto* e = std::get_if<rounds::CancelTask>(&round_effect)) {
      return absl::StrCat("cancel ", e->worker.value());
    }
    if (std::holds_alternative<rounds::StartAggregation>(round_effect)) return "aggregate";
    return "timer";
  }

  absl::Status Expect(const Words& words) {
    if (words.size() < 2) return absl::InvalidArgumentError("expect needs something");
    if (words[1] == "refused") return ExpectRefused(words);
    ENTENTE_RETURN_IF_ERROR(CheckNoOpenRefusal());
    if (words[1] == "log") return ExpectContains(words, log_);
    if (words[1] == "effect") return ExpectContains(words, effects_);
    for (const auto& [name, value] : Options(words)) {
      const std::string actual = Actual(name);
      if (actual != value) {
        return absl::FailedPreconditionError(
            absl::StrCat(name, " is \"", actual, "\", expected \"", value, "\""));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ExpectRefused(const Words& words) {
    const absl::Status refused = std::exchange(refused_, absl::OkStatus());
    const bool code_fits =
        words.size() >= 3 && absl::StatusCodeToString(refused.code()) == words[2];
    const bool text_fits = words.size() < 5 || absl::StrContains(refused.message(), words[4]);
    if (code_fits && text_fits && !refused.ok()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("the line before gave ", refused.ToString()));
  }

  static absl::Status ExpectContains(const Words& words, const std::vector<std::string>& lines) {
    if (words.size() != 4 || words[2] != "contains") {
      return absl::InvalidArgumentError("expect log|effect contains \"...\"");
    }
    for (const std::string& line : lines) {
      if (absl::StrContains(line, words[3])) return absl::OkStatus();
    }
    return absl::FailedPreconditionError(
        absl::StrCat("nothing contains \"", words[3], "\" in: ", absl::StrJoin(lines, " | ")));
  }

  // The value an expect names: of the job, the round in flight, or a participant.
  std::string Actual(const std::string& name) const {
    const rounds::RoundState& round = state_.round;
    if (name == "phase") return std::string(rounds::PhaseName(round.phase));
    if (name == "round") return absl::StrCat(round.round_index + 1);
    if (name == "attempt") return absl::StrCat(round.attempt);
    if (name == "reason") return round.reason;
    if (name == "job") return std::string(jobs::JobStatusName(state_.status));
    if (name == "job-reason") return state_.reason;
    if (name == "paused") return state_.paused ? "yes" : "no";
    if (name == "required") return absl::StrCat(round.updates_required);
    if (name == "committed") return absl::StrCat(state_.rounds_committed);
    // Of the round that ended last, when the one in flight has no participants yet.
    const auto& participants = round.participants.empty() && ended_.has_value()
                                   ? ended_->participants
                                   : round.participants;
    const auto it = participants.find(WorkerId(name));
    if (it == participants.end()) return "not in the cohort";
    return std::string(rounds::ParticipantStateName(it->second.state));
  }

  std::vector<WorkerId> workers_;
  bool excuses_absence_ = true;
  jobs::JobState state_;
  std::optional<rounds::RoundState> ended_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Status refused_;
  std::vector<std::string> log_;
  std::vector<std::string> effects_;
};

}  // namespace

absl::Status RunScenario(absl::string_view text) {
  Story story;
  int line_number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    absl::StatusOr<Words> words = SplitWords(line);
    absl::Status status = words.status();
    if (status.ok() && !words->empty()) status = story.Run(*words);
    if (!status.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("line ", line_number, " (", line, "): ", status.message()));
    }
  }
  return story.CheckNoOpenRefusal();
}

}  // namespace entente::scenarios
