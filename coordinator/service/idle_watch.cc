// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/idle_watch.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entente::service {

struct IdleWatch::State {
  State(const Clock* clock_in, Timers* pauses_in, absl::Duration limit_in)
      : clock(*clock_in), pauses(*pauses_in), limit(limit_in) {}

  const Clock& clock;
  Timers& pauses;
  const absl::Duration limit;

  absl::Mutex mu;
  std::function<void()> on_idle ABSL_GUARDED_BY(mu);  // Null once stopped.
  absl::Time wait_ends_at ABSL_GUARDED_BY(mu) = absl::InfiniteFuture();
  bool armed ABSL_GUARDED_BY(mu) = false;
  Timers::TimerId timer ABSL_GUARDED_BY(mu) = 0;
};

IdleWatch::IdleWatch(const Clock* clock, Timers* pauses, absl::Duration limit,
                     std::function<void()> on_idle)
    : state_(std::make_shared<State>(clock, pauses, limit)) {
  absl::MutexLock lock(&state_->mu);
  state_->on_idle = std::move(on_idle);
}

IdleWatch::~IdleWatch() { Stop(); }

void IdleWatch::BeginWait() {
  absl::MutexLock lock(&state_->mu);
  state_->wait_ends_at = state_->clock.Now() + state_->limit;
  if (!state_->armed && state_->on_idle != nullptr) Arm(state_, state_->wait_ends_at);
}

void IdleWatch::EndWait() {
  absl::MutexLock lock(&state_->mu);
  state_->wait_ends_at = absl::InfiniteFuture();  // The timer finds nothing to say.
}

bool IdleWatch::IsOverdue() const {
  absl::MutexLock lock(&state_->mu);
  return state_->wait_ends_at <= state_->clock.Now();
}

void IdleWatch::Stop() {
  absl::MutexLock lock(&state_->mu);
  state_->on_idle = nullptr;
  if (std::exchange(state_->armed, false)) state_->pauses.Cancel(state_->timer);
}

// With the lock held.
void IdleWatch::Arm(const std::shared_ptr<State>& state, absl::Time at) {
  state->mu.AssertHeld();
  state->armed = true;
  state->timer = state->pauses.RunAt(at, [weak = std::weak_ptr<State>(state)] {
    if (const std::shared_ptr<State> strong = weak.lock()) OnTimer(strong);
  });
}

void IdleWatch::OnTimer(const std::shared_ptr<State>& state) {
  absl::MutexLock lock(&state->mu);
  state->armed = false;
  if (state->on_idle == nullptr || state->wait_ends_at == absl::InfiniteFuture()) return;
  if (state->clock.Now() < state->wait_ends_at) return Arm(state, state->wait_ends_at);
  state->on_idle();
}

}  // namespace entente::service
