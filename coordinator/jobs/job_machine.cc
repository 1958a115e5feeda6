// SPDX-License-Identifier: Apache-2.0
#include "coordinator/jobs/job_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
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
  AppendRoundEffects(std::move(planned.effects), transition);
  transition->effects.emplace_back(TryToOpenRound{});
}

void End(JobStatus status, std::string reason, absl::Time now, JobTransition* transition) {
  transition->next.status = status;
  transition->next.reason = reason;
  transition->next.ended_at = now;
  transition->reason = std::move(reason);
}

void AfterCommit(absl::Time now, JobTransition* transition) {
  JobState& job = transition->next;
  const RoundState round = job.round;
  transition->ended_round = round;
  job.model = round.model;
  job.optimizer_state = round.optimizer_state;
  ++job.rounds_committed;
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
  if (round.attempt >= job.plan.attempts_max) {
    End(JobStatus::kFailed,
        absl::StrCat("round ", round.round_index + 1, " failed in ", round.attempt,
                     round.attempt == 1 ? " attempt: " : " attempts, the last because ",
                     round.reason),
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
  ENTENTE_ASSIGN_OR_RETURN(rounds::Transition step, rounds::Step(round, happened.event, now));
  JobTransition transition{
      .next = state, .effects = {}, .reason = step.reason, .ended_round = std::nullopt};
  transition.next.round = std::move(step.next);
  AppendRoundEffects(std::move(step.effects), &transition);
  if (transition.next.round.phase == RoundPhase::kCommitted) {
    AfterCommit(now, &transition);
  } else if (transition.next.round.phase == RoundPhase::kAborted) {
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

}  // namespace

absl::string_view JobStatusName(JobStatus status) {
  switch (status) {
    case JobStatus::kRunning:
      return "running";
    case JobStatus::kCompleted:
      return "completed";
    case JobStatus::kFailed:
      return "failed";
    case JobStatus::kCancelled:
      return "cancelled";
  }
  ENTENTE_CHECK(false);
}

absl::StatusOr<JobTransition> Step(const JobState& state, const JobEvent& event, absl::Time now) {
  if (const auto* submitted = std::get_if<Submitted>(&event)) {
    if (state.WasSubmitted()) return absl::FailedPreconditionError("the job was submitted already");
    return OnSubmitted(*submitted, now);
  }
  if (!state.WasSubmitted()) return absl::FailedPreconditionError("the job was not submitted yet");
  if (state.HasEnded()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the job has ", JobStatusName(state.status), " already: ", state.reason));
  }
  if (const auto* happened = std::get_if<RoundHappened>(&event)) {
    return OnRound(state, *happened, now);
  }
  return OnCancelled(state, std::get<JobCancelled>(event), now);
}

}  // namespace entente::jobs
