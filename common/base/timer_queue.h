// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_TIMER_QUEUE_H_
#define COMMON_BASE_TIMER_QUEUE_H_

// Runs callbacks at a time: round deadlines, leases, heartbeats. One thread sleeps until the next.

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"

namespace entente {

// Thread-safe.
class TimerQueue {
 public:
  using TimerId = uint64_t;

  // `clock` is borrowed. It must move with real time, for the thread sleeps in real time.
  explicit TimerQueue(const Clock* clock);

  // As Stop.
  ~TimerQueue();

  // Drops what has not run yet, waits for a callback in flight, and takes nothing more: RunAt then
  // does nothing. So that whoever still arms timers while the program stops need not know.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `callback` once, at or soon after `when`, on the queue's own thread: it must be short, or
  // post elsewhere.
  TimerId RunAt(absl::Time when, std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mu_);

  // Drops the timer if it has not started. Does not wait for one that has.
  void Cancel(TimerId id) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;

  absl::Mutex mu_;
  absl::CondVar changed_;
  std::map<std::pair<absl::Time, TimerId>, std::function<void()>> timers_ ABSL_GUARDED_BY(mu_);
  std::map<TimerId, absl::Time> times_ ABSL_GUARDED_BY(mu_);
  TimerId next_id_ ABSL_GUARDED_BY(mu_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last: it starts when everything else is ready. Joined by Stop.
};

}  // namespace entente

#endif  // COMMON_BASE_TIMER_QUEUE_H_
