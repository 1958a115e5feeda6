// SPDX-License-Identifier: Apache-2.0
#include "common/base/executor.h"

#include <utility>

#include "common/base/check.h"

namespace entente {

ThreadPool::ThreadPool(int thread_count) {
  ENTENTE_CHECK(thread_count > 0);
  for (int i = 0; i < thread_count; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Post(std::function<void()> task) {
  absl::MutexLock lock(&mu_);
  tasks_.push_back(std::move(task));
}

void ThreadPool::Run() {
  while (true) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&mu_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return stopping_ || !tasks_.empty();
      };
      mu_.Await(absl::Condition(&ready));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

struct SerialExecutor::Queue {
  explicit Queue(Executor* pool_in) : pool(*pool_in) {}

  Executor& pool;
  absl::Mutex mu;
  std::deque<std::function<void()>> tasks ABSL_GUARDED_BY(mu);
  bool running ABSL_GUARDED_BY(mu) = false;
};

SerialExecutor::SerialExecutor(Executor* pool) : queue_(std::make_shared<Queue>(pool)) {}

void SerialExecutor::Post(std::function<void()> task) {
  {
    absl::MutexLock lock(&queue_->mu);
    queue_->tasks.push_back(std::move(task));
    if (queue_->running) return;
    queue_->running = true;
  }
  queue_->pool.Post([queue = queue_] { RunNext(queue); });
}

void SerialExecutor::RunNext(const std::shared_ptr<Queue>& queue) {
  std::function<void()> task;
  {
    absl::MutexLock lock(&queue->mu);
    task = std::move(queue->tasks.front());
    queue->tasks.pop_front();
  }
  task();
  {
    absl::MutexLock lock(&queue->mu);
    if (queue->tasks.empty()) {
      queue->running = false;
      return;
    }
  }
  // Back into the pool after every task, so that one busy job does not starve the others.
  queue->pool.Post([queue] { RunNext(queue); });
}

}  // namespace entente
