// SPDX-License-Identifier: Apache-2.0
// What JobEngine waits for: a deadline by the clock on the wall, which survives a restart, what is
// due after a while, which no setting of that clock may put off, and room on the disk.

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/engine/transition_log.h"

namespace entente::engine {
namespace {

// kWaitsForRoom in a round's timeline, whose activities are one word each.
constexpr char kTimelineWaits[] = "waiting";

// Between a round's attempts; twice as long after each further one that failed.
constexpr absl::Duration kRestFirst = absl::Seconds(1);
constexpr absl::Duration kRestMax = absl::Seconds(30);

// Of whom the event says that nothing is to be expected for now; none if it is another.
std::optional<WorkerId> WorkerThatIsGone(const rounds::RoundEvent& event) {
  return std::visit(
      [](const auto& happened) -> std::optional<WorkerId> {
        using Event = std::decay_t<decltype(happened)>;
        if constexpr (std::is_same_v<Event, rounds::WorkerMissing> ||
                      std::is_same_v<Event, rounds::WorkerFailed> ||
                      std::is_same_v<Event, rounds::WorkerSkipped> ||
                      std::is_same_v<Event, rounds::TaskDeclined> ||
                      std::is_same_v<Event, rounds::EvaluationFailed>) {
          return happened.worker;
        } else {
          return std::nullopt;
        }
      },
      event);
}

// After so many attempts that failed, from 1.
absl::Duration RestAfter(uint32_t failed) {
  absl::Duration rest = kRestFirst;
  for (uint32_t i = 1; i < failed && rest < kRestMax; ++i) rest *= 2;
  return std::min(rest, kRestMax);
}

}  // namespace

void JobEngine::ArmDeadline(absl::Time at) {
  if (at == absl::InfiniteFuture()) return;
  const rounds::RoundState& round = working_state_.round;
  PostAt(at, [round_index = round.round_index, attempt = round.attempt](JobEngine& engine) {
    engine.CheckDeadline(round_index, attempt);
  });
}

void JobEngine::CheckDeadline(uint32_t round_index, uint32_t attempt) {
  const rounds::RoundState& current = working_state_.round;
  if (current.round_index != round_index || current.attempt != attempt) return;
  // The phase may have moved on and have a later deadline, or the clock was set back meanwhile.
  if (deps_.clock->Now() < current.closes_at) return ArmDeadline(current.closes_at);
  if (AwaitAbsent()) return;
  ApplyRound(round_index, attempt, rounds::DeadlineChecked{UpdatesWithoutRoom()});
}

void JobEngine::KeepDeadline(uint32_t round_index, uint32_t attempt) {
  const rounds::RoundState& round = working_state_.round;
  const bool is_in_flight =
      !working_state_.HasEnded() && round.round_index == round_index && round.attempt == attempt;
  // While it aggregates it has none, and what follows brings its own.
  if (!is_in_flight || round.phase == rounds::RoundPhase::kAggregating) return;
  ArmDeadline(round.closes_at);
}

void JobEngine::ApplyRoundAgain(uint32_t round_index, uint32_t attempt,
                                const rounds::RoundEvent& event) {
  if (std::holds_alternative<rounds::DeadlineChecked>(event)) {
    return CheckDeadline(round_index, attempt);
  }
  if (std::holds_alternative<rounds::Opened>(event)) {
    opening_tried_again_ = false;
    return TryToOpenRound();
  }
  if (const auto* returned = std::get_if<rounds::WorkerReturned>(&event); returned != nullptr) {
    returns_tried_again_.erase(returned->worker);
    if (deps_.workers->DetachedSince(returned->worker).has_value()) return;
  }
  if (const auto gone = WorkerThatIsGone(event); gone.has_value() && leases_.Holds(*gone)) return;
  ApplyRound(round_index, attempt, event);
}

void JobEngine::RestBeforeNextAttempt() {
  if (working_state_.HasEnded()) return;
  const uint32_t failed = working_state_.round.attempt - 1 - working_state_.attempts_broken_off;
  // It is of the attempt's own time to find its workers.
  const absl::Duration time = working_state_.round.closes_at - deps_.clock->Now();
  const absl::Duration rest = std::min(RestAfter(failed), time / 2);
  rest_ends_at_ = deps_.steady_clock->Now() + rest;
  {
    absl::MutexLock lock(&mu_);
    rests_until_ = deps_.clock->Now() + rest;
  }
  watchers_.NotifyAll();
  PostAfter(rest, [](JobEngine& engine) {
    if (engine.deps_.steady_clock->Now() < engine.rest_ends_at_) return;  // Of a later attempt.
    {
      absl::MutexLock lock(&engine.mu_);
      engine.rests_until_.reset();
    }
    engine.TryToOpenRound();
  });
}

void JobEngine::PutOffUpdate(const WorkerId& worker, const v1::TaskKey& key, std::string reason) {
  Post([worker, key, reason = std::move(reason)](JobEngine& self) {
    if (!self.IsCurrent(key) || !self.IsAwaited(worker, v1::TaskKey::KIND_TRAIN)) return;
    // Workers try again all the time: one line tells the operator.
    if (!std::exchange(self.lack_of_room_logged_, true)) {
      LogSetback("update put off", self.description_->id, key.round_index(), worker, reason);
    }
    {
      absl::MutexLock lock(&self.mu_);
      self.progress_[worker].waits_for_room = true;
      self.chronicles_.NoteActivity(worker, kTimelineWaits, self.deps_.clock->Now());
    }
    self.ShowThatUpdateWaits(worker);
    self.watchers_.NotifyAll();
  });
}

void JobEngine::ShowThatUpdateWaits(const WorkerId& worker) {
  deps_.workers->SetActivity(worker, absl::StrCat(kWaitsForRoom, ": ", description_->id.value(),
                                                  " round ", working_state_.round.round_index + 1));
}

uint32_t JobEngine::UpdatesWithoutRoom() const {
  uint32_t count = 0;
  absl::MutexLock lock(&mu_);
  for (const auto& [worker, progress] : progress_) {
    if (progress.waits_for_room) ++count;
  }
  return count;
}

void JobEngine::RenewLease(const WorkerId& worker) {
  leases_.Renew(worker, deps_.steady_clock->Now() + lease_);
  {
    absl::MutexLock lock(&mu_);
    lease_ends_[worker] = deps_.clock->Now() + lease_;
  }
  ArmLeaseCheck();
}

void JobEngine::ArmLeaseCheck() {
  const absl::Time next = leases_.NextExpiry();
  if (next >= lease_check_at_) return;
  lease_check_at_ = next;
  PostAfter(next - deps_.steady_clock->Now(), [](JobEngine& engine) { engine.CheckLeases(); });
}

void JobEngine::CheckLeases() {
  lease_check_at_ = absl::InfiniteFuture();
  const rounds::RoundState round = working_state_.round;
  for (const WorkerId& worker : leases_.TakeExpired(deps_.steady_clock->Now())) {
    std::string reason = absl::StrCat("was silent for its lease of ", absl::FormatDuration(lease_));
    if (const auto since = deps_.workers->DetachedSince(worker); since.has_value()) {
      absl::StrAppend(&reason, "; not attached since ",
                      rounds::ClockText(*since, deps_.clock->Now()));
    }
    LogSetback("worker missing", description_->id, round.round_index, worker, reason);
    if (round.phase == rounds::RoundPhase::kEvaluating) {
      ApplyRound(round.round_index, round.attempt, rounds::EvaluationFailed{worker, reason});
    } else {
      ApplyRound(round.round_index, round.attempt, rounds::WorkerMissing{worker, reason});
    }
  }
  ArmLeaseCheck();
}

void JobEngine::PostAt(absl::Time at, std::function<void(JobEngine&)> task) {
  deps_.timers->RunAt(at, [weak = weak_from_this(), task = std::move(task)] {
    if (const auto self = weak.lock()) self->Post(task);
  });
}

void JobEngine::PostAfter(absl::Duration pause, std::function<void(JobEngine&)> task) {
  deps_.pauses->RunAt(deps_.steady_clock->Now() + pause,
                      [weak = weak_from_this(), task = std::move(task)] {
                        if (const auto self = weak.lock()) self->Post(task);
                      });
}

}  // namespace entente::engine
