// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_machine.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"

namespace entente::rounds {
namespace {

// People count rounds from 1.
std::string RoundName(const RoundState& state) {
  return absl::StrCat("round ", state.round_index + 1);
}

std::string Names(const RoundState& state, std::initializer_list<ParticipantState> wanted) {
  std::vector<std::string> names;
  for (const auto& [worker, participant] : state.participants) {
    const bool is_wanted =
        std::find(wanted.begin(), wanted.end(), participant.state) != wanted.end();
    if (is_wanted) names.push_back(worker.value());
  }
  return absl::StrJoin(names, ", ");
}

// Enough to see what is the matter in a round's one sentence; the rest is in the participants.
constexpr size_t kReasonsMax = 3;
constexpr size_t kReasonPartBytesMax = 200;

// "DE (no such data set), FR (the trainer ended with signal 9)"
std::string FailedNames(const RoundState& state) {
  std::vector<std::string> names;
  for (const auto& [worker, participant] : state.participants) {
    if (participant.state != ParticipantState::kFailed) continue;
    const absl::string_view reason = ClipUtf8(participant.reason, kReasonPartBytesMax);
    const bool is_told = names.size() < kReasonsMax && !reason.empty();
    const absl::string_view rest = reason.size() < participant.reason.size() ? "..." : "";
    names.push_back(is_told ? absl::StrCat(worker.value(), " (", reason, rest, ")")
                            : worker.value());
  }
  return absl::StrJoin(names, ", ");
}

absl::Status NotLegal(const RoundState& state, const RoundEvent& event) {
  return absl::FailedPreconditionError(absl::StrCat(RoundName(state), " is ",
                                                    PhaseName(state.phase), "; ", EventName(event),
                                                    " does not apply then"));
}

// ", for 2 more there was no room on the coordinator's disk", or nothing.
std::string WithoutRoom(const DeadlineChecked& checked) {
  if (checked.updates_without_room == 0) return "";
  return absl::StrCat(", for ", checked.updates_without_room,
                      " more there was no room on the coordinator's disk");
}

// One step in the making: a copy of the state and the effects so far.
class Stepper {
 public:
  Stepper(const RoundState& state, absl::Time now) : next_(state), now_(now) {}

  absl::StatusOr<Transition> Apply(const RoundEvent& event) {
    return std::visit([&](const auto& e) { return On(e, event); }, event);
  }

 private:
  using Result = absl::StatusOr<Transition>;

  Result On(const Opened& opened, const RoundEvent& event) {
    if (next_.phase != RoundPhase::kPlanned) return NotLegal(next_, event);
    const uint32_t required = UpdatesRequired(next_.policy, opened.cohort.size());
    if (opened.cohort.size() < required) {
      return absl::FailedPreconditionError(absl::StrCat("a cohort of ", opened.cohort.size(),
                                                        " cannot meet a quorum of ", required));
    }
    next_.phase = RoundPhase::kCollecting;
    next_.opened_at = now_;
    next_.closes_at = now_ + next_.policy.deadline;
    next_.updates_required = required;
    for (const WorkerId& worker : opened.cohort) {
      next_.participants[worker] = Participant{};
      effects_.emplace_back(SendTrainingTask{worker});
    }
    effects_.emplace_back(ArmTimer{next_.closes_at});
    return Done(absl::StrCat(opened.cohort.size(), " workers were asked; quorum is ", required));
  }

  Result On(const TaskAccepted& accepted, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(accepted.worker, event));
    if (participant->state != ParticipantState::kInvited &&
        participant->state != ParticipantState::kMissing) {
      return NotLegal(next_, event);
    }
    participant->state = ParticipantState::kWorking;
    participant->reason.clear();
    return Done(next_.reason);
  }

  Result On(const TaskDeclined& declined, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(declined.worker, event));
    if (participant->state == ParticipantState::kAccepted) return NotLegal(next_, event);
    participant->state = ParticipantState::kDeclined;
    participant->reason = declined.reason;
    return AfterCollecting();
  }

  Result On(const UpdateAccepted& accepted, const RoundEvent&) {
    ENTENTE_RETURN_IF_ERROR(CheckUpdateWelcome(next_, accepted.worker));
    Participant& participant = next_.participants[accepted.worker];
    participant.state = ParticipantState::kAccepted;
    participant.reason.clear();
    participant.update = accepted.update;
    return AfterCollecting();
  }

  Result On(const UpdateRefused& refused, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(refused.worker, event));
    if (participant->state == ParticipantState::kAccepted) return NotLegal(next_, event);
    participant->state = ParticipantState::kRefused;
    participant->reason = refused.reason;
    participant->refused = refused.update;
    return AfterCollecting();
  }

  Result On(const WorkerMissing& missing, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(missing.worker, event));
    if (!participant->IsAskedOrWorking()) return NotLegal(next_, event);
    participant->state = ParticipantState::kMissing;
    participant->reason = missing.reason;
    return AfterCollecting();
  }

  Result On(const WorkerFailed& failed, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant, OpenParticipant(failed.worker, event));
    if (!next_.AwaitsUpdateOf(failed.worker)) return NotLegal(next_, event);
    participant->state = ParticipantState::kFailed;
    participant->reason = failed.reason;
    return AfterCollecting();
  }

  Result On(const WorkerSkipped& skipped, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(skipped.worker, event));
    if (!next_.AwaitsUpdateOf(skipped.worker)) return NotLegal(next_, event);
    participant->state = ParticipantState::kSkipped;
    participant->reason = skipped.reason;
    next_.updates_required = UpdatesRequired(
        next_.policy, next_.participants.size() - next_.CountIn(ParticipantState::kSkipped));
    return AfterCollecting();
  }

  Result On(const WorkerReturned& returned, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant,
                             OpenParticipant(returned.worker, event));
    if (participant->state != ParticipantState::kMissing) return NotLegal(next_, event);
    participant->state = ParticipantState::kInvited;
    participant->reason.clear();
    effects_.emplace_back(SendTrainingTask{returned.worker});
    return Done(absl::StrCat(returned.worker.value(), " is back and was asked again"));
  }

  Result On(const DeadlineChecked& checked, const RoundEvent& event) {
    if (next_.HasEnded() || next_.phase == RoundPhase::kAggregating || now_ < next_.closes_at) {
      return NotLegal(next_, event);
    }
    switch (next_.phase) {
      case RoundPhase::kPlanned:
        return Abort("deadline passed before enough workers with the data set were attached");
      case RoundPhase::kCollecting:
        return Abort(
            absl::StrCat("deadline passed with ", Accepted(), " of ", next_.updates_required,
                         " updates", WithoutRoom(checked), WhoIsNotIn()),
            ParticipantState::kMissing);
      case RoundPhase::kGrace:
        return StartAggregating(absl::StrCat("grace is over", WithoutRoom(checked)));
      default:
        return Commit("evaluation deadline passed");
    }
  }

  Result On(const Aggregated& aggregated, const RoundEvent& event) {
    if (next_.phase != RoundPhase::kAggregating) return NotLegal(next_, event);
    next_.model = aggregated.model;
    next_.optimizer_state = aggregated.optimizer_state;
    for (const auto& [worker, weight] : aggregated.weights) {
      if (const auto it = next_.participants.find(worker); it != next_.participants.end()) {
        it->second.weight = weight;
      }
    }
    if (!next_.policy.evaluates) return Commit("aggregated");
    next_.phase = RoundPhase::kEvaluating;
    next_.closes_at = now_ + next_.policy.evaluation_deadline;
    for (auto& [worker, participant] : next_.participants) {
      if (participant.state != ParticipantState::kAccepted) continue;
      participant.evaluation_awaited = true;
      effects_.emplace_back(SendEvaluationTask{worker});
    }
    effects_.emplace_back(ArmTimer{next_.closes_at});
    return Done("the members evaluate the new model");
  }

  Result On(const UpdateLost& lost, const RoundEvent& event) {
    const auto it = next_.participants.find(lost.worker);
    const bool are_read = next_.IsOpen() || next_.phase == RoundPhase::kAggregating;
    if (!are_read || it == next_.participants.end() ||
        it->second.state != ParticipantState::kAccepted) {
      return NotLegal(next_, event);
    }
    const uint32_t lost_count = it->second.updates_lost + 1;
    it->second = Participant{};
    it->second.updates_lost = lost_count;
    it->second.reason = absl::StrCat("its update was lost: ", lost.reason);
    effects_.emplace_back(SendTrainingTask{lost.worker});
    const bool has_quorum = Accepted() >= next_.updates_required;
    if (!has_quorum) AskTheMissingAgain();
    next_.phase = has_quorum ? RoundPhase::kGrace : RoundPhase::kCollecting;
    next_.closes_at = now_ + next_.policy.deadline;
    effects_.emplace_back(ArmTimer{next_.closes_at});
    return Done(absl::StrCat("the update of ", lost.worker.value(),
                             " was lost, and it was asked again; ", Accepted(), " of ",
                             next_.updates_required, " needed updates are in"));
  }

  Result On(const AbsenceAwaited& awaited, const RoundEvent& event) {
    // A paused job's round has no deadline: it waits for the job.
    if (next_.phase != RoundPhase::kPlanned || awaited.until < next_.closes_at) {
      return NotLegal(next_, event);
    }
    next_.closes_at = awaited.until + next_.policy.deadline;
    effects_.emplace_back(ArmTimer{next_.closes_at});
    return Done(awaited.reason);
  }

  Result On(const AggregationFailed& failed, const RoundEvent& event) {
    if (next_.phase != RoundPhase::kAggregating) return NotLegal(next_, event);
    return Abort(absl::StrCat("aggregation failed: ", failed.reason));
  }

  Result On(const Evaluated& evaluated, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant, Evaluator(evaluated.worker, event));
    participant->evaluation = evaluated.metrics;
    return AfterEvaluation();
  }

  Result On(const EvaluationFailed& failed, const RoundEvent& event) {
    ENTENTE_ASSIGN_OR_RETURN(Participant* const participant, Evaluator(failed.worker, event));
    participant->reason = absl::StrCat("could not evaluate: ", failed.reason);
    return AfterEvaluation();
  }

  Result On(const Cancelled& cancelled, const RoundEvent& event) {
    if (next_.HasEnded()) return NotLegal(next_, event);
    return Abort(cancelled.reason);
  }

  void AskTheMissingAgain() {
    for (auto& [worker, participant] : next_.participants) {
      if (participant.state != ParticipantState::kMissing) continue;
      participant.state = ParticipantState::kInvited;
      participant.reason.clear();
      effects_.emplace_back(SendTrainingTask{worker});
    }
  }

  // The participant, if the round is open and it is of the cohort.
  absl::StatusOr<Participant*> OpenParticipant(const WorkerId& worker, const RoundEvent& event) {
    if (!next_.IsOpen()) return NotLegal(next_, event);
    const auto it = next_.participants.find(worker);
    if (it == next_.participants.end()) {
      return absl::NotFoundError(
          absl::StrCat(worker.value(), " is not in the cohort of ", RoundName(next_)));
    }
    return &it->second;
  }

  // The participant whose evaluation is awaited; it is not awaited any more.
  absl::StatusOr<Participant*> Evaluator(const WorkerId& worker, const RoundEvent& event) {
    const auto it = next_.participants.find(worker);
    if (next_.phase != RoundPhase::kEvaluating || it == next_.participants.end() ||
        !it->second.evaluation_awaited) {
      return NotLegal(next_, event);
    }
    it->second.evaluation_awaited = false;
    return &it->second;
  }

  // Decides what the round does now that one participant has changed.
  Result AfterCollecting() {
    const uint32_t awaited =
        next_.CountIn(ParticipantState::kInvited) + next_.CountIn(ParticipantState::kWorking);
    const uint32_t missing = next_.CountIn(ParticipantState::kMissing);
    if (Accepted() >= next_.updates_required) {
      if (awaited == 0) {
        return StartAggregating(Accepted() == next_.participants.size() ? "everyone is in"
                                                                        : "nobody else is awaited");
      }
      if (next_.phase == RoundPhase::kCollecting) {
        next_.phase = RoundPhase::kGrace;
        next_.closes_at = std::min(next_.closes_at, now_ + next_.policy.grace);
        effects_.emplace_back(ArmTimer{next_.closes_at});
      }
      return Done(absl::StrCat("quorum of ", next_.updates_required, " met"));
    }
    // Who is missing may still come back before the deadline; who declined, was refused or failed
    // is not expected to.
    if (Accepted() + awaited + missing < next_.updates_required) {
      ended_by_absence_ =
          Accepted() + awaited + missing + next_.CountIn(ParticipantState::kSkipped) >=
          UpdatesRequired(next_.policy, next_.participants.size());
      return Abort(absl::StrCat("quorum of ", next_.updates_required, " is out of reach with ",
                                Accepted(), " in", WhoIsNotIn(/*is_before_time=*/true)));
    }
    return Done(absl::StrCat(Accepted(), " of ", next_.updates_required, " needed updates are in"));
  }

  Result AfterEvaluation() {
    for (const auto& [worker, participant] : next_.participants) {
      if (participant.evaluation_awaited) return Done(next_.reason);
    }
    return Commit("everyone has reported");
  }

  Result StartAggregating(absl::string_view why) {
    CancelWhoStillWorks("the round closed without this update", ParticipantState::kMissing);
    next_.phase = RoundPhase::kAggregating;
    next_.closes_at = absl::InfiniteFuture();
    effects_.emplace_back(StartAggregation{});
    return Done(absl::StrCat("quorum of ", next_.updates_required, " met with ", Accepted(), ", ",
                             why, WhoIsNotIn()));
  }

  Result Commit(absl::string_view why) {
    std::vector<std::string> silent;
    for (auto& [worker, participant] : next_.participants) {
      if (participant.evaluation_awaited) silent.push_back(worker.value());
      participant.evaluation_awaited = false;
    }
    next_.phase = RoundPhase::kCommitted;
    next_.closes_at = absl::InfiniteFuture();
    next_.ended_at = now_;
    return Done(
        absl::StrCat("committed with ", Names(next_, {ParticipantState::kAccepted}), "; ", why,
                     silent.empty() ? "" : absl::StrCat(" without ", absl::StrJoin(silent, ", "))));
  }

  // Before its time, unless those who are at work have missed the deadline.
  Result Abort(std::string why, ParticipantState still_at_work = ParticipantState::kUnfinished) {
    CancelWhoStillWorks(why, still_at_work);
    next_.phase = RoundPhase::kAborted;
    next_.closes_at = absl::InfiniteFuture();
    next_.ended_at = now_;
    return Done(std::move(why));
  }

  // Who was asked or is at work becomes `next`: missing its time, or not given it.
  void CancelWhoStillWorks(const std::string& reason, ParticipantState next) {
    for (auto& [worker, participant] : next_.participants) {
      const bool trains = next_.IsOpen() && participant.IsAskedOrWorking();
      // Who is missing may be at work all the same, and only not have been heard.
      const bool is_missing = next_.IsOpen() && participant.state == ParticipantState::kMissing;
      if (trains || is_missing || participant.evaluation_awaited) {
        effects_.emplace_back(CancelTask{.worker = worker,
                                         .round_index = next_.round_index,
                                         .attempt = next_.attempt,
                                         .evaluates = participant.evaluation_awaited,
                                         .reason = reason});
      }
      if (trains) {
        participant.state = next;
        participant.reason = next == ParticipantState::kMissing
                                 ? "was not in when the round closed"
                                 : "was not finished when the attempt ended";
      }
      participant.evaluation_awaited = false;
    }
  }

  uint32_t Accepted() const { return next_.CountIn(ParticipantState::kAccepted); }

  // ", failed FR (no data), missing JP, declined DE", or nothing. Before its time: who is at work
  // is "not finished".
  std::string WhoIsNotIn(bool is_before_time = false) const {
    const std::string failed = FailedNames(next_);
    std::string text = failed.empty() ? "" : absl::StrCat(", failed ", failed);
    const auto add = [&](absl::string_view word, std::initializer_list<ParticipantState> states) {
      const std::string names = Names(next_, states);
      if (!names.empty()) absl::StrAppend(&text, ", ", word, " ", names);
    };
    for (const ParticipantState state : {ParticipantState::kMissing, ParticipantState::kDeclined,
                                         ParticipantState::kRefused, ParticipantState::kSkipped}) {
      add(ParticipantStateName(state), {state});
    }
    if (is_before_time) {
      add("not finished", {ParticipantState::kInvited, ParticipantState::kWorking});
    } else {
      add("invited", {ParticipantState::kInvited});
      add("working", {ParticipantState::kWorking});
    }
    return text;
  }

  Transition Done(std::string reason) {
    next_.reason = reason;
    return Transition{.next = std::move(next_),
                      .effects = std::move(effects_),
                      .reason = std::move(reason),
                      .ended_by_absence = ended_by_absence_};
  }

  RoundState next_;
  const absl::Time now_;
  std::vector<RoundEffect> effects_;
  bool ended_by_absence_ = false;
};

}  // namespace

Transition Plan(uint32_t round_index, uint32_t attempt, const Digest& base_model,
                const RoundPolicy& policy, absl::Time now) {
  RoundState state;
  state.round_index = round_index;
  state.attempt = attempt;
  state.base_model = base_model;
  state.policy = policy;
  state.reason = "waiting for workers";
  state.planned_at = now;
  state.closes_at = now + policy.deadline;
  return Transition{state, {ArmTimer{state.closes_at}}, state.reason};
}

absl::StatusOr<Transition> Step(const RoundState& state, const RoundEvent& event, absl::Time now) {
  return Stepper(state, now).Apply(event);
}

absl::Status CheckUpdateWelcome(const RoundState& state, const WorkerId& worker) {
  if (state.phase == RoundPhase::kPlanned) {
    return absl::FailedPreconditionError(absl::StrCat("the update of ", worker.value(),
                                                      " is early: ", RoundName(state),
                                                      " is not open yet (", state.reason, ")"));
  }
  const auto it = state.participants.find(worker);
  if (it == state.participants.end()) {
    return absl::NotFoundError(
        absl::StrCat(worker.value(), " is not in the cohort of ", RoundName(state)));
  }
  if (!state.IsOpen()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the update of ", worker.value(), " is late: ", RoundName(state), " is ",
                     PhaseName(state.phase), " (", state.reason, ")"));
  }
  switch (it->second.state) {
    case ParticipantState::kAccepted:
      return absl::AlreadyExistsError(
          absl::StrCat("an update of ", worker.value(), " is in ", RoundName(state), " already"));
    case ParticipantState::kDeclined:
      return absl::FailedPreconditionError(
          absl::StrCat(worker.value(), " declined in ", RoundName(state), ": ", it->second.reason));
    case ParticipantState::kRefused:
      return absl::InvalidArgumentError(absl::StrCat("the update of ", worker.value(),
                                                     " was refused in ", RoundName(state), ": ",
                                                     it->second.reason));
    case ParticipantState::kInvited:
    case ParticipantState::kWorking:
    case ParticipantState::kMissing:
    case ParticipantState::kFailed:
    case ParticipantState::kSkipped:
    case ParticipantState::kUnfinished:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace entente::rounds
