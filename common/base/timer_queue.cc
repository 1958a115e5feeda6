// SPDX-License-Identifier: Apache-2.0
#include "common/base/timer_queue.h"

#include <algorithm>

namespace entente {
namespace {

// A clock that is set ahead makes timers due that were not when the thread lay down.
constexpr absl::Duration kClockLookInterval = absl::Seconds(1);

}  // namespace

TimerQueue::TimerQueue(const Clock* clock) : clock_(*clock), thread_([this] { Run(); }) {}

TimerQueue::~TimerQueue() { Stop(); }

void TimerQueue::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    timers_.clear();
    times_.clear();
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

TimerQueue::TimerId TimerQueue::RunAt(absl::Time when, std::function<void()> callback) {
  absl::MutexLock lock(&mu_);
  const TimerId id = next_id_++;
  if (stopping_) return id;
  timers_.emplace(std::pair(when, id), std::move(callback));
  times_.emplace(id, when);
  changed_.SignalAll();
  return id;
}

void TimerQueue::Cancel(TimerId id) {
  absl::MutexLock lock(&mu_);
  const auto time = times_.find(id);
  if (time == times_.end()) return;
  timers_.erase(std::pair(time->second, id));
  times_.erase(time);
}

void TimerQueue::Run() {
  while (true) {
    std::function<void()> callback;
    {
      absl::MutexLock lock(&mu_);
      while (!stopping_ && (timers_.empty() || timers_.begin()->first.first > clock_.Now())) {
        if (timers_.empty()) {
          changed_.Wait(&mu_);
        } else {
          changed_.WaitFor(
              &mu_, std::min(timers_.begin()->first.first - clock_.Now(), kClockLookInterval));
        }
      }
      if (stopping_) return;
      const auto first = timers_.begin();
      callback = std::move(first->second);
      times_.erase(first->first.second);
      timers_.erase(first);
    }
    callback();
  }
}

}  // namespace entente
