// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_BLOCKING_THREAD_H_
#define SIM_BLOCKING_THREAD_H_

// An executor for code that blocks, such as a worker's task. It has a real thread, but a baton is
// handed to and fro between it and the scheduler's, so that exactly one of the two ever runs, and
// the scheduler decides which: a run stays deterministic, and every tool that looks at threads sees
// ordinary ones.
//
//   scheduler's thread   RunNext ... event: Resume ------+               +---> next event
//                                                        v baton         | baton
//   this thread                                       task runs ... WaitUntil

#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/executor.h"
#include "sim/scheduler.h"

namespace entente::sim {

class BlockingThread final : public Executor {
 public:
  // `scheduler` is borrowed.
  explicit BlockingThread(Scheduler* scheduler);

  // As Finish.
  ~BlockingThread() override;

  void Post(std::function<void()> task) override;

  // On this thread, from a task: lets simulated time pass until `is_over` or `until`, whichever
  // comes first; returns is_over(). Asked again after every Wake. Returns at once while finishing.
  bool WaitUntil(absl::Time until, const std::function<bool()>& is_over);

  // Has WaitUntil look again, soon. Holds no lock, calls nothing back.
  void Wake();

  // No wait lasts any more: what was posted runs to its end, now. For the end of a process, whose
  // files and connections have failed by then.
  void Finish();

  bool finishing() const { return finishing_; }

 private:
  enum class Turn { kScheduler, kThread };

  void Run();
  // On the scheduler's thread: hands the baton over and waits for it.
  void Resume();
  // On this thread: the other way.
  void Yield();

  Scheduler& scheduler_;

  // Touched by whoever has the baton.
  std::deque<std::function<void()>> tasks_;
  std::optional<Scheduler::EventKey> resume_;  // The Resume that is scheduled to be soon.
  bool finishing_ = false;
  bool stopping_ = false;

  absl::Mutex mu_;
  Turn turn_ ABSL_GUARDED_BY(mu_) = Turn::kScheduler;
  absl::CondVar turned_;
  std::thread thread_;  // Last: it starts when everything else is ready.
};

}  // namespace entente::sim

#endif  // SIM_BLOCKING_THREAD_H_
