// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_EXECUTOR_H_
#define COMMON_BASE_EXECUTOR_H_

// Where work runs. A ThreadPool has a fixed number of threads; a SerialExecutor runs its tasks one
// after the other, in order, on threads of a pool: the lock-free way to own state.

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entente {

// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` later, never on the caller's stack.
  virtual void Post(std::function<void()> task) = 0;
};

// Runs tasks on `thread_count` threads. Destruction finishes what was posted, then joins.
class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(int thread_count);
  ~ThreadPool() override;

  void Post(std::function<void()> task) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // Touched by the constructor and destructor only.
};

// Runs tasks in the order posted, never two at once, on `pool`'s threads. May be destroyed while
// tasks are queued: they still run, so what they touch must outlive the pool's work.
class SerialExecutor final : public Executor {
 public:
  // `pool` is borrowed and must outlive the work posted here.
  explicit SerialExecutor(Executor* pool);

  void Post(std::function<void()> task) override;

 private:
  struct Queue;
  static void RunNext(const std::shared_ptr<Queue>& queue);

  // Shared with the task in flight on the pool, which may outlive this object.
  const std::shared_ptr<Queue> queue_;
};

}  // namespace entente

#endif  // COMMON_BASE_EXECUTOR_H_
