// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_TIMER_QUEUE_H_
#define COMMON_BASE_TIMER_QUEUE_H_

// The machine's own timers: one thread sleeps until the next is due.

#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/steady_cond_var.h"
#include "common/base/timers.h"

namespace entente {

// Thread-safe.
class TimerQueue final : public Timers {
 public:
  // `clock` is borrowed, and moves with real time, for the thread sleeps in real time. It may be
  // set: timers are due when it says so, which is noticed within a second.
  explicit TimerQueue(const Clock* clock);

  // As Stop.
  ~TimerQueue() override;

  // Drops what has not run yet, waits for a callback in flight, and takes nothing more: RunAt then
  // does nothing. So that whoever still arms timers while the program stops need not know.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // On the queue's own thread.
  TimerId RunAt(absl::Time when, std::function<void()> callback) override ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel(TimerId id) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  const Clock& clock_;

  absl::Mutex mu_;
  SteadyCondVar changed_;
  std::map<std::pair<absl::Time, TimerId>, std::function<void()>> timers_ ABSL_GUARDED_BY(mu_);
  std::map<TimerId, absl::Time> times_ ABSL_GUARDED_BY(mu_);
  TimerId next_id_ ABSL_GUARDED_BY(mu_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last: it starts when everything else is ready. Joined by Stop.
};

}  // namespace entente

#endif  // COMMON_BASE_TIMER_QUEUE_H_
