// SPDX-License-Identifier: Apache-2.0
#include "sim/blocking_thread.h"

#include <utility>

namespace entente::sim {

BlockingThread::BlockingThread(Scheduler* scheduler)
    : scheduler_(*scheduler), thread_([this] { Run(); }) {}

BlockingThread::~BlockingThread() {
  Finish();
  stopping_ = true;
  {
    absl::MutexLock lock(&mu_);
    turn_ = Turn::kThread;
    turned_.SignalAll();
  }
  thread_.join();
}

void BlockingThread::Post(std::function<void()> task) {
  tasks_.push_back(std::move(task));
  Wake();
}

void BlockingThread::Wake() {
  if (resume_.has_value() || finishing_) return;
  // Soon, not at once: other threads may come first.
  resume_ = scheduler_.After(absl::Microseconds(scheduler_.chance().Below(50)), [this] {
    resume_.reset();
    Resume();
  });
}

bool BlockingThread::WaitUntil(absl::Time until, const std::function<bool()>& is_over) {
  bool timed_out = false;
  std::optional<Scheduler::EventKey> alarm;
  if (until < absl::InfiniteFuture()) {
    alarm = scheduler_.At(until, [this, &timed_out, &alarm] {
      timed_out = true;
      alarm.reset();
      Wake();
    });
  }
  while (!finishing_ && !timed_out && !is_over()) Yield();
  if (alarm.has_value()) scheduler_.Cancel(*alarm);
  return is_over();
}

void BlockingThread::Finish() {
  if (std::exchange(finishing_, true)) return;
  if (resume_.has_value()) scheduler_.Cancel(*resume_);
  resume_.reset();
  Resume();
}

void BlockingThread::Resume() {
  absl::MutexLock lock(&mu_);
  turn_ = Turn::kThread;
  turned_.SignalAll();
  while (turn_ != Turn::kScheduler) turned_.Wait(&mu_);
}

void BlockingThread::Yield() {
  absl::MutexLock lock(&mu_);
  turn_ = Turn::kScheduler;
  turned_.SignalAll();
  while (turn_ != Turn::kThread) turned_.Wait(&mu_);
}

void BlockingThread::Run() {
  {
    absl::MutexLock lock(&mu_);
    while (turn_ != Turn::kThread) turned_.Wait(&mu_);
  }
  while (!stopping_) {
    while (!tasks_.empty()) {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
    Yield();
  }
}

}  // namespace entente::sim
