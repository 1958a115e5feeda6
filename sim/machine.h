// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_MACHINE_H_
#define SIM_MACHINE_H_

// A simulated machine, which outlives the programs that run on it: its clock and its disk; and a
// process, one run of a program from its start to its crash.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/timers.h"
#include "sim/scheduler.h"

namespace entente::sim {

// Wall time as a machine has it: somebody may set it.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const Scheduler* scheduler) : scheduler_(*scheduler) {}

  absl::Time Now() const override { return scheduler_.now() + offset_; }
  void Jump(absl::Duration by) { offset_ += by; }
  absl::Duration offset() const { return offset_; }

 private:
  const Scheduler& scheduler_;
  absl::Duration offset_;
};

// As SteadyClock: time that only passes, whatever the machine's clock is set to.
class SteadyMachineClock final : public Clock {
 public:
  explicit SteadyMachineClock(const Scheduler* scheduler) : scheduler_(*scheduler) {}

  absl::Time Now() const override { return scheduler_.now(); }

 private:
  const Scheduler& scheduler_;
};

// The executor and the timers of one run of a program. What is posted here runs on the scheduler's
// thread; nothing of it once the process is dead. Its owner, not the process itself, destroys it.
class Process final : public Executor, public Timers {
 public:
  // Both borrowed. `clock` is what timers go by.
  Process(Scheduler* scheduler, const Clock* clock);
  ~Process() override;

  bool alive() const { return alive_; }

  // From now on nothing that the process does has an effect. The code that runs may still return.
  void Die() { alive_ = false; }

  // Of a dead process: forgets what waits for a time, and whatever that holds on to. What was
  // posted runs to its end, now, so that queues come to theirs: what waits in a SerialExecutor may
  // hold on to the executor's owner.
  void Finish();

  // Like work on a pool of many threads: soon, in any order.
  void Post(std::function<void()> task) override;

  // The same after a pause, whatever happens to the clock.
  void PostAfter(absl::Duration pause, std::function<void()> task);

  // As a TimerQueue that does not look at the clock while it sleeps, for as long as the clock said
  // when it lay down: one that jumps ahead meanwhile is noticed late, one that jumps back is waited
  // for.
  TimerId RunAt(absl::Time when, std::function<void()> callback) override;
  void Cancel(TimerId id) override;

  // The process dies at the `operation`-th file operation from now, counted from 1.
  void DieAtFileOperation(uint64_t operation) { file_operations_left_ = operation; }

  // Before each file operation: whether it happens. On the one that the process dies at, it may.
  bool EnterFileOperation();

 private:
  struct Task {
    std::function<void()> run;
    bool is_posted = false;  // Else it waits for a time.
  };

  void Add(absl::Duration pause, Task task);
  void Forget();
  void ArmAlarm();
  void RunDueTimers();

  Scheduler& scheduler_;
  const Clock& clock_;
  bool alive_ = true;
  uint64_t file_operations_left_ = 0;  // 0: it does not die of one.

  std::map<Scheduler::EventKey, Task> tasks_;
  std::deque<std::function<void()>> last_tasks_;  // Posted, and it died.
  std::map<std::pair<absl::Time, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, absl::Time> timer_times_;
  TimerId next_timer_ = 1;
  std::unique_ptr<Scheduler::EventKey> alarm_;  // Null: none is set.
};

// Timers of a process by time that only passes, as a TimerQueue on a SteadyClock.
class SteadyTimers final : public Timers {
 public:
  // Both borrowed; must outlive what the process has in hand.
  SteadyTimers(Process* process, const SteadyMachineClock* clock)
      : process_(*process), clock_(*clock) {}

  TimerId RunAt(absl::Time when, std::function<void()> callback) override;
  void Cancel(TimerId id) override { waiting_.erase(id); }

 private:
  Process& process_;
  const SteadyMachineClock& clock_;
  TimerId next_id_ = 1;
  std::set<TimerId> waiting_;
};

}  // namespace entente::sim

#endif  // SIM_MACHINE_H_
