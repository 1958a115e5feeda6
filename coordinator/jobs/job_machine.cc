// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "coordinator/rounds/round_machine.h"

namespace entente::jobs {
namespace {

using rounds::RoundPhase;
using rounds::RoundState;

void AppendRoundEffects(std::vector<rounds::RoundEffect> from, JobTransition* to) {
  for (rounds::RoundEffect& effect : from) to->effects.emplace_back(std::move(effect));
}

// Puts the next round, or the next attempt of the last one, in flight.
void PlanRound(uint32_t round_index, uint32_t attempt, absl::Time now, JobTransition* transition) {
  JobState& job = transition->next;
  rounds::RoundPolicy policy = job.plan.round_policy;
  const bool is_last = round_index + 1 == job.plan.round_count;
  policy.evaluates = job.plan.evaluates_every > 0 &&
                     (is_last || (round_index + 1) % job.plan.evaluates_every == 0);
  rounds::Transition planned = rounds::Plan(round_index, attempt, job.model, policy, now);
  job.round = std::move(planned.next);
  if (job.paused) {
    job.round.reason = "the job is paused";
    job.round.closes_at = absl::InfiniteFuture();
    return;
  }
  AppendRoundEffects(std::move(planned.effects), transition);
  transition->effects.emplace_back(TryToOpenRound{});
}

void End(JobStatus status, std::string reason, absl::Time now, JobTransition* transition) {
  transition->next.status = status;
  transition->next.reason = reason;
  transition->next.ended_at = now;
  transition->next.paused = false;
  transition->reason = std::move(reason);
}

void AfterCommit(absl::Time now, JobTransition* transition) {
  JobState& job = transition->next;
  const RoundState round = job.round;
  transition->ended_round = round;
  job.model = round.model;
  job.optimizer_state = round.optimizer_state;
  ++job.rounds_committed;
  job.attempts_broken_off = 0;
  transition->effects.emplace_back(ForgetUpdates{round.round_index, round.attempt});
  if (job.rounds_committed == job.plan.round_count) {
    End(JobStatus::kCompleted, absl::StrCat("all ", job.plan.round_count, " rounds were committed"),
        now, transition);
    return;
  }
  PlanRound(round.round_index + 1, 1, now, transition);
}

void AfterAbort(absl::Time now, JobTransition* transition) {
  JobState& job = transition->next;
  const RoundState round = job.round;
  transition->ended_round = round;
  transition->effects.emplace_back(ForgetUpdates{round.round_index, round.attempt});
  const uint32_t attempts = round.attempt - job.attempts_broken_off;
  if (attempts >= job.plan.attempts_max) {
    End(JobStatus::kFailed,
        absl::StrCat("round ", round.round_index + 1, " failed in ", attempts,
                     attempts == 1 ? " attempt: " : " attempts, the last because ", round.reason),
        now, transition);
    return;
  }
  PlanRound(round.round_index, round.attempt + 1, now, transition);
}

absl::StatusOr<JobTransition> OnSubmitted(const Submitted& submitted, absl::Time now) {
  JobTransition transition;
  transition.next.plan = submitted.plan;
  transition.next.submitted_at = now;
  transition.next.initial_model = submitted.initial_model;
  transition.next.model = submitted.initial_model;
  transition.reason = "submitted";
  PlanRound(0, 1, now, &transition);
  return transition;
}

absl::StatusOr<JobTransition> OnRound(const JobState& state, const RoundHappened& happened,
                                      absl::Time now) {
  const RoundState& round = state.round;
  if (happened.round_index != round.round_index || happened.attempt != round.attempt) {
    return absl::FailedPreconditionError(absl::StrCat(
        "round ", happened.round_index + 1, " attempt ", happened.attempt,
        " is not in flight; round ", round.round_index + 1, " attempt ", round.attempt, " is"));
  }
  if (state.paused && std::holds_alternative<rounds::Opened>(happened.event)) {
    return absl::FailedPreconditionError("the job is paused; no round is opened");
  }
  ENTENTE_ASSIGN_OR_RETURN(rounds::Transition step, rounds::Step(round, happened.event, now));
  JobTransition transition{
      .next = state, .effects = {}, .reason = step.reason, .ended_round = std::nullopt};
  transition.next.round = std::move(step.next);
  AppendRoundEffects(std::move(step.effects), &transition);
  if (transition.next.round.phase == RoundPhase::kCommitted) {
    AfterCommit(now, &transition);
  } else if (transition.next.round.phase == RoundPhase::kAborted) {
    if (happened.excuses_absence && step.ended_by_absence) ++transition.next.attempts_broken_off;
    AfterAbort(now, &transition);
  }
  return transition;
}

absl::StatusOr<JobTransition> OnCancelled(const JobState& state, const JobCancelled& cancelled,
                                          absl::Time now) {
  JobTransition transition{.next = state, .effects = {}, .reason = {}, .ended_round = std::nullopt};
  const RoundState& round = state.round;
  ENTENTE_ASSIGN_OR_RETURN(rounds::Transition step,
                           rounds::Step(round, rounds::Cancelled{cancelled.reason}, now));
  transition.effects.emplace_back(ForgetUpdates{round.round_index, round.attempt});
  transition.next.round = std::move(step.next);
  transition.ended_round = transition.next.round;
  AppendRoundEffects(std::move(step.effects), &transition);
  End(JobStatus::kCancelled, cancelled.reason, now, &transition);
  return transition;
}

// Ends the open attempt and plans the next; it counts for nothing.
absl::Status BreakOff(const std::string& reason, absl::Time now, JobTransition* transition) {
  const RoundState round = transition->next.round;
  ENTENTE_ASSIGN_OR_RETURN(rounds::Transition step,
                           rounds::Step(round, rounds::Cancelled{reason}, now));
  transition->ended_round = std::move(step.next);
  AppendRoundEffects(std::move(step.effects), transition);
  transition->effects.emplace_back(ForgetUpdates{round.round_index, round.attempt});
  ++transition->next.attempts_broken_off;
  PlanRound(round.round_index, round.attempt + 1, now, transition);
  absl::StrAppend(&transition->next.round.reason, "; attempt ", round.attempt, " was broken off");
  return absl::OkStatus();
}

absl::StatusOr<JobTransition> OnPaused(const JobState& state, const JobPaused& paused,
                                       absl::Time now) {
  JobTransition transition{.next = state, .effects = {}, .reason = {}, .ended_round = std::nullopt};
  JobState& job = transition.next;
  const bool breaks_off = paused.now && job.round.IsOpen();
  if (!std::exchange(job.paused, true) || breaks_off) job.pause_reason = paused.reason;
  transition.reason = job.pause_reason;
  if (job.round.phase == RoundPhase::kPlanned) {
    PlanRound(job.round.round_index, job.round.attempt, now, &transition);
  } else if (breaks_off) {
    ENTENTE_RETURN_IF_ERROR(BreakOff(paused.reason, now, &transition));
  }
  return transition;
}

absl::StatusOr<JobTransition> OnResumed(const JobState& state, const JobResumed& resumed,
                                        absl::Time now) {
  JobTransition transition{
      .next = state, .effects = {}, .reason = resumed.reason, .ended_round = std::nullopt};
  JobState& job = transition.next;
  if (!std::exchange(job.paused, false)) return transition;
  job.pause_reason.clear();
  if (job.round.phase == RoundPhase::kPlanned) {
    PlanRound(job.round.round_index, job.round.attempt, now, &transition);
  }
  return transition;
}

}  // namespace

absl::StatusOr<JobTransition> Step(const JobState& state, const JobEvent& event, absl::Time now) {
  if (const auto* submitted = std::get_if<Submitted>(&event)) {
    if (state.WasSubmitted()) return absl::FailedPreconditionError("the job was submitted already");
    return OnSubmitted(*submitted, now);
  }
  if (!state.WasSubmitted()) return absl::FailedPreconditionError("the job was not submitted yet");
  if (state.HasEnded()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the job has ended already (", JobStatusName(state.status), "): ", state.reason));
  }
  if (const auto* happened = std::get_if<RoundHappened>(&event)) {
    return OnRound(state, *happened, now);
  }
  if (const auto* paused = std::get_if<JobPaused>(&event)) return OnPaused(state, *paused, now);
  if (const auto* resumed = std::get_if<JobResumed>(&event)) return OnResumed(state, *resumed, now);
  if (const auto* started = std::get_if<CoordinatorStarted>(&event)) {
    return JobTransition{
        .next = state,
        .effects = {},
        .reason = absl::StrCat("the coordinator was started again: ", started->standing),
        .ended_round = std::nullopt};
  }
  return OnCancelled(state, std::get<JobCancelled>(event), now);
}

}  // namespace entente::jobs
