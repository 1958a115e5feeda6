// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"

#include <algorithm>
#include <utility>

namespace entente::sim {

Process::Process(Scheduler* scheduler, const Clock* clock)
    : scheduler_(*scheduler), clock_(*clock) {}

Process::~Process() { Forget(); }

void Process::Finish() {
  for (auto& [key, task] : tasks_) {
    if (task.is_posted) last_tasks_.push_back(std::move(task.run));
  }
  Forget();
  while (!last_tasks_.empty()) {
    const std::function<void()> task = std::move(last_tasks_.front());
    last_tasks_.pop_front();
    task();
  }
}

void Process::Forget() {
  for (const auto& [key, task] : tasks_) scheduler_.Cancel(key);
  if (alarm_ != nullptr) scheduler_.Cancel(*alarm_);
  alarm_.reset();
  // What a task holds on to may post another when it goes.
  while (!tasks_.empty() || !timers_.empty()) {
    auto tasks = std::exchange(tasks_, {});
    auto timers = std::exchange(timers_, {});
    tasks.clear();
    timers.clear();
  }
  timer_times_.clear();
}

void Process::Post(std::function<void()> task) {
  if (!alive_) return last_tasks_.push_back(std::move(task));
  Add(absl::Microseconds(scheduler_.chance().Below(20)),
      {.run = std::move(task), .is_posted = true});
}

void Process::PostAfter(absl::Duration pause, std::function<void()> task) {
  Add(pause, {.run = std::move(task), .is_posted = false});
}

void Process::Add(absl::Duration pause, Task task) {
  if (!alive_) return;
  const auto key = std::make_shared<Scheduler::EventKey>();  // Known once the event is made.
  *key = scheduler_.After(pause, [this, key] {
    const auto it = tasks_.find(*key);
    const Task due = std::move(it->second);
    tasks_.erase(it);
    if (alive_) {
      due.run();
    } else if (due.is_posted) {
      last_tasks_.push_back(due.run);
    }
  });
  tasks_.emplace(*key, std::move(task));
}

Process::TimerId Process::RunAt(absl::Time when, std::function<void()> callback) {
  const TimerId id = next_timer_++;
  if (!alive_) return id;
  timers_.emplace(std::pair(when, id), std::move(callback));
  timer_times_.emplace(id, when);
  ArmAlarm();
  return id;
}

void Process::Cancel(TimerId id) {
  const auto time = timer_times_.find(id);
  if (time == timer_times_.end()) return;
  timers_.erase(std::pair(time->second, id));
  timer_times_.erase(time);
}

void Process::ArmAlarm() {
  if (alarm_ != nullptr) scheduler_.Cancel(*alarm_);
  alarm_.reset();
  if (timers_.empty()) return;
  const absl::Duration sleep =
      std::max(absl::ZeroDuration(), timers_.begin()->first.first - clock_.Now());
  alarm_ = std::make_unique<Scheduler::EventKey>(scheduler_.After(sleep, [this] {
    alarm_.reset();
    RunDueTimers();
  }));
}

void Process::RunDueTimers() {
  while (alive_ && !timers_.empty() && timers_.begin()->first.first <= clock_.Now()) {
    const auto first = timers_.begin();
    const std::function<void()> callback = std::move(first->second);
    timer_times_.erase(first->first.second);
    timers_.erase(first);
    callback();
  }
  if (alive_) ArmAlarm();
}

SteadyTimers::TimerId SteadyTimers::RunAt(absl::Time when, std::function<void()> callback) {
  const TimerId id = next_id_++;
  if (when == absl::InfiniteFuture()) return id;
  waiting_.insert(id);
  process_.PostAfter(std::max(absl::ZeroDuration(), when - clock_.Now()),
                     [this, id, callback = std::move(callback)] {
                       if (waiting_.erase(id) > 0) callback();
                     });
  return id;
}

bool Process::EnterFileOperation() {
  if (!alive_) return false;
  if (file_operations_left_ == 0 || --file_operations_left_ > 0) return true;
  Die();
  return scheduler_.chance().Happens(0.5);
}

}  // namespace entente::sim
