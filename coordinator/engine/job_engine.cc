// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"
#include "coordinator/engine/job_end.h"
#include "coordinator/engine/task_message.h"
#include "coordinator/engine/transition_log.h"
#include "coordinator/rounds/cohort_selection.h"
#include "coordinator/rounds/round_machine.h"
#include "coordinator/store/record_converter.h"

namespace entente::engine {
namespace {

using rounds::ParticipantState;
using rounds::RoundPhase;
using rounds::RoundState;

}  // namespace

JobEngine::JobEngine(const Dependencies& dependencies, JobDescription description)
    : deps_(dependencies),
      description_(std::make_shared<const JobDescription>(std::move(description))),
      aggregation_plan_(jobs::AggregationPlanOf(description_->recipe)),
      lease_(ToDuration(description_->recipe.pacing().lease())),
      executor_(dependencies.executor),
      aggregation_retry_(dependencies.aggregation_retry_pause),
      state_(std::make_shared<const jobs::JobState>()) {}

absl::StatusOr<std::shared_ptr<JobEngine>> JobEngine::Submit(const Dependencies& dependencies,
                                                             JobDescription description,
                                                             const Digest& initial_model) {
  std::shared_ptr<JobEngine> engine(new JobEngine(dependencies, std::move(description)));
  const JobDescription& job = *engine->description_;
  const absl::Time now = store::JournalTime(dependencies.clock->Now());
  const jobs::Submitted event{.plan = jobs::JobPlanOf(job.recipe), .initial_model = initial_model};
  ENTENTE_ASSIGN_OR_RETURN(jobs::JobTransition transition,
                           jobs::Step(engine->working_state_, event, now));

  store::JournalEntry entry{
      .job = job.id, .sequence = ++engine->sequence_, .at = now, .record = {}};
  *entry.record.mutable_submitted() = ToRecord(job, initial_model);
  ENTENTE_RETURN_IF_ERROR(dependencies.journal->Append(entry));

  const log::Scope scope(LogFieldsOf(job, 0));
  log::Info("job submitted", {{"submitter", job.submitter}});
  engine->Publish(std::move(transition), now);
  return engine;
}

absl::StatusOr<std::shared_ptr<JobEngine>> JobEngine::Restore(
    const Dependencies& dependencies, const store::JournalEntry& submitted) {
  if (submitted.sequence != 1 || !submitted.record.has_submitted()) {
    return store::DamagedEntry(submitted, "the job does not begin with its submission");
  }
  std::shared_ptr<JobEngine> engine(
      new JobEngine(dependencies, FromRecord(submitted.job, submitted.record.submitted())));
  ENTENTE_RETURN_IF_ERROR(engine->Replay(submitted));
  return engine;
}

absl::Status JobEngine::Replay(const store::JournalEntry& entry) {
  if (entry.sequence != sequence_ + 1) {
    return store::DamagedEntry(entry, absl::StrCat("it comes after event ", sequence_));
  }
  const auto event = store::FromRecord(entry.record);
  if (!event.ok()) return store::DamagedEntry(entry, event.status().message());
  auto transition = jobs::Step(working_state_, *event, entry.at);
  if (!transition.ok()) return store::DamagedEntry(entry, transition.status().message());
  sequence_ = entry.sequence;
  Publish(*std::move(transition), entry.at);
  if (std::holds_alternative<jobs::CoordinatorStarted>(*event)) ++starts_noted_;
  return absl::OkStatus();
}

void JobEngine::AcceptUpdate(const ArrivedUpdate& update, std::function<void(absl::Status)> done) {
  Post([update, done = std::move(done)](JobEngine& self) {
    const absl::Status status = self.Apply(jobs::RoundHappened{
        update.round_index, update.attempt, rounds::UpdateAccepted{update.worker, update.record}});
    if (status.ok()) {
      log::Info("update accepted", {{"worker", update.worker.value()},
                                    {"bytes", update.record.bytes},
                                    {"examples", update.record.examples}});
    }
    done(status);
  });
}

void JobEngine::RefuseUpdate(const WorkerId& worker, const v1::TaskKey& key,
                             const rounds::AnnouncedUpdate& update, std::string reason) {
  Post([worker, key, update, reason = std::move(reason)](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, v1::TaskKey::KIND_TRAIN)) return;
    LogSetback("update refused", self.description_->id, key.round_index(), worker, reason);
    self.ApplyRound(key.round_index(), key.attempt(),
                    rounds::UpdateRefused{worker, reason, update});
  });
}

void JobEngine::OnTaskAccepted(const WorkerId& worker, const v1::TaskKey& key) {
  Post([worker, key](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, key.kind())) {
      return self.CallOffIfStale(worker, key);
    }
    self.RenewLease(worker);
    if (key.kind() != v1::TaskKey::KIND_TRAIN) return;
    const auto& participant = self.working_state_.round.participants.at(worker);
    if (participant.state == ParticipantState::kWorking) return;  // It was asked twice.
    self.ApplyRound(key.round_index(), key.attempt(), rounds::TaskAccepted{worker});
  });
}

void JobEngine::OnTaskDeclined(const WorkerId& worker, const v1::TaskKey& key, std::string reason) {
  Post([worker, key, reason = std::move(reason)](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, key.kind())) return;
    log::Info("task declined", {{"worker", worker.value()}, {"reason", reason}});
    if (key.kind() == v1::TaskKey::KIND_EVALUATE) return self.FailEvaluation(worker, reason);
    self.leases_.End(worker);  // It has spoken; a lease from now on says that it is back.
    self.ApplyRound(key.round_index(), key.attempt(), rounds::TaskDeclined{worker, reason});
  });
}

void JobEngine::OnTaskFailed(const WorkerId& worker, const v1::TaskKey& key, std::string reason,
                             bool may_return) {
  Post([worker, key, reason = std::move(reason), may_return](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, key.kind())) return;
    LogSetback("task failed", self.description_->id, key.round_index(), worker, reason);
    if (key.kind() == v1::TaskKey::KIND_EVALUATE) return self.FailEvaluation(worker, reason);
    self.leases_.End(worker);
    rounds::RoundEvent event = rounds::WorkerMissing{worker, reason};
    if (!may_return) {
      event = rounds::WorkerFailed{worker, reason};
    } else if (++self.task_stops_[worker] > limits::kTaskStopsMax) {
      // Each stop and each return is journalled: there must be an end of them.
      event = rounds::WorkerFailed{
          worker, absl::StrCat("it stopped its task more than ", limits::kTaskStopsMax,
                               " times in one attempt, at last: ", reason)};
    }
    self.ApplyRound(key.round_index(), key.attempt(), std::move(event));
  });
}

void JobEngine::OnProgress(const WorkerId& worker, const v1::TaskKey& key,
                           WorkerProgress progress) {
  Post([worker, key, progress = std::move(progress)](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, key.kind())) {
      return self.CallOffIfStale(worker, key);
    }
    self.RenewLease(worker);
    bool still_waits = false;
    {
      absl::MutexLock lock(&self.mu_);
      WorkerProgress& known = self.progress_[worker];
      // While it waits it repeats what it said last. It may not have said anything before.
      const bool is_news = !known.activity.empty() &&
                           (known.activity != progress.activity || known.step != progress.step);
      still_waits = known.waits_for_room && !is_news;
      known = progress;
      known.waits_for_room = still_waits;
      if (!still_waits) {
        self.chronicles_.NoteActivity(worker, progress.activity, self.deps_.clock->Now());
      }
    }
    if (still_waits) self.ShowThatUpdateWaits(worker);
    // Its lease had run out, or it was never heard to accept, but here it is at work.
    const auto& participant = self.working_state_.round.participants.at(worker);
    if (key.kind() == v1::TaskKey::KIND_TRAIN && participant.state != ParticipantState::kWorking) {
      self.ApplyRound(key.round_index(), key.attempt(), rounds::TaskAccepted{worker});
      return;
    }
    self.watchers_.NotifyAll();
  });
}

void JobEngine::OnEvaluated(const WorkerId& worker, const v1::TaskKey& key,
                            rounds::Metrics metrics) {
  Post([worker, key, metrics](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, v1::TaskKey::KIND_EVALUATE)) return;
    self.ApplyRound(key.round_index(), key.attempt(), rounds::Evaluated{worker, metrics});
  });
}

void JobEngine::FailEvaluation(const WorkerId& worker, const std::string& reason) {
  leases_.End(worker);
  const RoundState& round = working_state_.round;
  ApplyRound(round.round_index, round.attempt, rounds::EvaluationFailed{worker, reason});
}

void JobEngine::OnWorkerAttached(const WorkerId& worker) {
  Post([worker](JobEngine& self) {
    const RoundState& round = self.working_state_.round;
    if (self.working_state_.HasEnded()) return;
    self.TellOfAttachment(worker);
    if (const auto away = self.deps_.workers->AwayOf(worker); away.has_value()) {
      self.Skip(worker, AwayText(*away));
      self.AwaitAbsent();
      return;
    }
    if (round.phase == RoundPhase::kPlanned) return self.TryToOpenRound();
    const auto it = round.participants.find(worker);
    if (it == round.participants.end()) return;
    if (round.IsOpen() && it->second.state == ParticipantState::kMissing) {
      self.ApplyRound(round.round_index, round.attempt, rounds::WorkerReturned{worker});
    } else if (self.IsAwaited(worker, v1::TaskKey::KIND_TRAIN)) {
      self.SendTask(worker, v1::TaskKey::KIND_TRAIN);
    } else if (it->second.evaluation_awaited) {
      self.SendTask(worker, v1::TaskKey::KIND_EVALUATE);
    }
  });
}

void JobEngine::WhenCaughtUp(std::function<void()> done) {
  Post([done = std::move(done)](JobEngine&) { done(); });
}

void JobEngine::Cancel(std::string reason, std::function<void(absl::Status)> done) {
  Post([reason = std::move(reason), done = std::move(done)](JobEngine& self) {
    done(self.Apply(jobs::JobCancelled{reason}));
  });
}

void JobEngine::PauseJob(std::string reason, bool now, std::function<void(absl::Status)> done) {
  Post([reason = std::move(reason), now, done = std::move(done)](JobEngine& self) {
    const jobs::JobState& state = self.working_state_;
    const bool breaks_off = now && state.round.IsOpen();
    if (state.paused && !state.HasEnded() && !breaks_off) return done(absl::OkStatus());
    done(self.Apply(jobs::JobPaused{reason, now}));
  });
}

void JobEngine::ResumeJob(std::string reason, std::function<void(absl::Status)> done) {
  Post([reason = std::move(reason), done = std::move(done)](JobEngine& self) {
    const jobs::JobState& state = self.working_state_;
    if (!state.paused && !state.HasEnded()) return done(absl::OkStatus());
    done(self.Apply(jobs::JobResumed{reason}));
  });
}

bool JobEngine::IsDownloadOf(const Digest& model, const Digest& file) const {
  return file == model || (aggregation_plan_.downloads_bf16 && !file.IsNone() &&
                           file == deps_.models->RoundedOf(model));
}

absl::Status JobEngine::Apply(const jobs::JobEvent& event) {
  ENTENTE_ASSIGN_OR_RETURN(const Aftermath aftermath, JournalAndPublish(event));
  TellObserver(aftermath.ended_a_round);
  for (const jobs::JobEffect& effect : aftermath.effects) CarryOut(effect);
  if (working_state_.HasEnded()) {
    SayJobEnded(*description_, working_state_.round.round_index, deps_.workers);
  }
  return absl::OkStatus();
}

absl::StatusOr<JobEngine::Aftermath> JobEngine::JournalAndPublish(const jobs::JobEvent& event) {
  const absl::Time now = store::JournalTime(deps_.clock->Now());
  ENTENTE_ASSIGN_OR_RETURN(jobs::JobTransition transition, jobs::Step(working_state_, event, now));
  const store::JournalEntry entry{.job = description_->id,
                                  .sequence = sequence_ + 1,
                                  .at = now,
                                  .record = store::ToRecord(event)};
  if (absl::Status status = deps_.journal->Append(entry); !status.ok()) {
    log::Error("the journal could not be written; the job stays as it is",
               {{"reason", status.message()}});
    return status;
  }
  ++sequence_;
  LogTransition(description_->id, event, transition);
  Aftermath aftermath{.effects = std::move(transition.effects),
                      .ended_a_round = transition.ended_round.has_value()};
  // One that was broken off, for a pause or an absence, has not.
  const bool has_failed = aftermath.ended_a_round &&
                          transition.ended_round->phase == RoundPhase::kAborted &&
                          transition.next.attempts_broken_off == working_state_.attempts_broken_off;
  Publish(std::move(transition), now);
  if (has_failed) RestBeforeNextAttempt();
  if (std::holds_alternative<jobs::CoordinatorStarted>(event)) ++starts_noted_;
  return aftermath;
}

void JobEngine::ApplyRound(uint32_t round_index, uint32_t attempt, rounds::RoundEvent event) {
  const absl::Status status =
      Apply(jobs::RoundHappened{round_index, attempt, event, ExcusesAbsence(event)});
  if (status.ok()) return;
  const bool is_told_again = std::holds_alternative<rounds::TaskAccepted>(event);
  const bool is_the_journals = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  if (is_the_journals && !is_told_again) {
    watchers_.NotifyAll();
    // Whoever comes and goes meanwhile is back once.
    const auto* returned = std::get_if<rounds::WorkerReturned>(&event);
    if (returned != nullptr && !returns_tried_again_.insert(returned->worker).second) return;
    // Nor does a round open more than once, however many attach.
    const bool is_opening = std::holds_alternative<rounds::Opened>(event);
    if (is_opening && std::exchange(opening_tried_again_, true)) return;
    // Nobody will say it a second time: without it the round would wait for ever.
    return PostAfter(limits::kJournalRetryPause, [round_index, attempt, event](JobEngine& engine) {
      engine.ApplyRoundAgain(round_index, attempt, event);
    });
  }
  // What Step refuses does not apply any more: it lost a race and is of no consequence.
  log::Debug("event ignored", {{"event", rounds::EventName(event)}, {"reason", status.message()}});
  if (std::holds_alternative<rounds::DeadlineChecked>(event)) KeepDeadline(round_index, attempt);
}

void JobEngine::Publish(jobs::JobTransition transition, absl::Time at) {
  const RoundState& round = transition.next.round;
  // New tasks are out: what was heard of the old ones says nothing about them.
  const bool tasks_changed = round.round_index != working_state_.round.round_index ||
                             round.attempt != working_state_.round.attempt ||
                             (round.phase == RoundPhase::kEvaluating &&
                              working_state_.round.phase != RoundPhase::kEvaluating);
  if (tasks_changed) {
    leases_.EndAll();
    task_stops_.clear();
    lack_of_room_logged_ = false;
    starts_noted_ = 0;
  }
  working_state_ = transition.next;
  std::vector<WorkerId> settled;  // Nothing more is expected of them in this round.
  for (const auto& [worker, participant] : working_state_.round.participants) {
    if (working_state_.round.AwaitsUpdateOf(worker) || participant.evaluation_awaited) continue;
    leases_.End(worker);
    settled.push_back(worker);
  }
  {
    absl::MutexLock lock(&mu_);
    chronicles_.Note(transition, sequence_, at);
    if (transition.ended_round.has_value()) {
      terms_.Count(*transition.ended_round);
      for (const auto& [worker, participant] : transition.ended_round->participants) {
        bytes_up_ += participant.update.BytesUp();
      }
      if (auto evaluation = rounds::CombinedEvaluation(*transition.ended_round);
          evaluation.has_value()) {
        evaluation_ = evaluation;
      }
      ended_rounds_.push_back(
          std::make_shared<const RoundState>(*std::move(transition.ended_round)));
    }
    if (tasks_changed) {
      progress_.clear();
      lease_ends_.clear();
    }
    if (round.phase != RoundPhase::kAggregating) combining_.reset();
    if (round.phase != RoundPhase::kPlanned) rests_until_.reset();
    for (const WorkerId& worker : settled) {
      progress_.erase(worker);
      lease_ends_.erase(worker);
    }
    state_ = std::make_shared<const jobs::JobState>(std::move(transition.next));
  }
  watchers_.NotifyAll();
}

void JobEngine::TellObserver(bool ended_a_round) {
  if (deps_.on_change == nullptr) return;
  std::shared_ptr<const RoundState> ended_round;
  if (ended_a_round) {
    absl::MutexLock lock(&mu_);
    ended_round = ended_rounds_.back();
  }
  deps_.on_change(
      {.job = *description_, .state = working_state_, .ended_round = std::move(ended_round)});
}

void JobEngine::CarryOut(const jobs::JobEffect& effect) {
  if (const auto* round_effect = std::get_if<rounds::RoundEffect>(&effect)) {
    CarryOut(*round_effect);
  } else if (const auto* forget = std::get_if<jobs::ForgetUpdates>(&effect)) {
    // The next round waits for their room, but not for 100 MB of pages to be given back (20 ms).
    deps_.spool->RemoveSoon(
        {.job = description_->id, .round_index = forget->round_index, .attempt = forget->attempt},
        deps_.executor);
  } else {
    TryToOpenRound();
  }
}

void JobEngine::CarryOut(const rounds::RoundEffect& effect) {
  if (const auto* train = std::get_if<rounds::SendTrainingTask>(&effect)) {
    SendTask(train->worker, v1::TaskKey::KIND_TRAIN);
  } else if (const auto* evaluate = std::get_if<rounds::SendEvaluationTask>(&effect)) {
    SendTask(evaluate->worker, v1::TaskKey::KIND_EVALUATE);
  } else if (const auto* cancel = std::get_if<rounds::CancelTask>(&effect)) {
    deps_.workers->Send(cancel->worker, TaskCancelledMessage(description_->id, *cancel));
    deps_.workers->SetActivity(cancel->worker, "");
  } else if (const auto* timer = std::get_if<rounds::ArmTimer>(&effect)) {
    ArmDeadline(timer->at);
  } else {
    StartAggregation();
  }
}

void JobEngine::TryToOpenRound() {
  const RoundState& round = working_state_.round;
  if (working_state_.HasEnded() || working_state_.paused) return;
  if (round.phase != RoundPhase::kPlanned) return;
  if (deps_.steady_clock->Now() < rest_ends_at_) return;
  std::vector<WorkerId> cohort =
      CohortOf(deps_.workers->AvailableWith(description_->recipe.dataset()));
  // Tried again whenever a worker attaches; the round's deadline bounds the wait.
  if (cohort.empty()) {
    AwaitAbsent();
    return;
  }
  ApplyRound(round.round_index, round.attempt, rounds::Opened{std::move(cohort)});
}

std::vector<WorkerId> JobEngine::CohortOf(std::vector<WorkerId> eligible) const {
  const RoundState& round = working_state_.round;
  std::vector<WorkerId> cohort =
      rounds::SelectCohort({.eligible = std::move(eligible),
                            .fraction = description_->recipe.pacing().cohort().fraction(),
                            .seed = description_->recipe.training().seed(),
                            .round_index = round.round_index,
                            .attempt = round.attempt});
  if (cohort.size() < rounds::UpdatesRequired(round.policy, cohort.size())) cohort.clear();
  return cohort;
}

void JobEngine::SendTask(const WorkerId& worker, v1::TaskKey::Kind kind) {
  if (deps_.workers->AwayOf(worker).has_value()) {
    // Only in turn: there may be more of this event's effects to carry out.
    Post([worker](JobEngine& self) { self.OnWorkerAttached(worker); });
    return;
  }
  const absl::Time now = deps_.clock->Now();
  // A worker that is not attached gets its task when it comes back; until then its lease runs.
  WorkerTerms terms = terms_.Of(worker, description_->recipe, *deps_.workers);
  const RoundState& round = working_state_.round;
  if (terms.updates.download() == v1::Updates::DOWNLOAD_BF16) {
    // Without a copy the model itself will do.
    terms.rounded_model =
        deps_.models->RoundedOf(kind == v1::TaskKey::KIND_TRAIN ? round.base_model : round.model);
  }
  deps_.workers->Send(worker, TaskMessage(*description_, round, worker, kind, terms, now));
  RenewLease(worker);
}

bool JobEngine::IsCurrent(const v1::TaskKey& key) const {
  return !working_state_.HasEnded() && key.round_index() == working_state_.round.round_index &&
         key.attempt() == working_state_.round.attempt;
}

bool JobEngine::IsAwaited(const WorkerId& worker, v1::TaskKey::Kind kind) const {
  const RoundState& round = working_state_.round;
  return kind == v1::TaskKey::KIND_EVALUATE ? round.AwaitsEvaluationOf(worker)
                                            : round.AwaitsUpdateOf(worker);
}

void JobEngine::Post(std::function<void(JobEngine&)> task) {
  executor_.Post([self = shared_from_this(), task = std::move(task)] {
    const log::Scope scope(
        LogFieldsOf(*self->description_, self->working_state_.round.round_index));
    task(*self);
  });
}

}  // namespace entente::engine
