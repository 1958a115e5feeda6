// SPDX-License-Identifier: Apache-2.0
#include "common/base/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"

namespace entente {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kExecutorWait = absl::Seconds(30);

// A pool whose thread is the test: tasks run when it says so.
class StepExecutor final : public Executor {
 public:
  void Post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }

  bool RunOne() {
    if (tasks_.empty()) return false;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    return true;
  }
  size_t queued() const { return tasks_.size(); }

 private:
  std::deque<std::function<void()>> tasks_;
};

TEST(ThreadPoolTest, DestructionFinishesWhatWasPosted) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) pool.Post([&ran] { ++ran; });
  }

  EXPECT_EQ(ran, 100);
}

TEST(ThreadPoolTest, TasksPostedByTasksRunBeforeDestructionEnds) {
  std::atomic<bool> inner_ran = false;
  {
    ThreadPool pool(1);
    pool.Post([&] { pool.Post([&] { inner_ran = true; }); });
  }

  EXPECT_TRUE(inner_ran);
}

TEST(ThreadPoolTest, TaskRunsOnAnotherThread) {
  ThreadPool pool(1);
  absl::Notification done;
  std::thread::id ran_on;

  pool.Post([&] {
    ran_on = std::this_thread::get_id();
    done.Notify();
  });

  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kExecutorWait));
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ThreadPoolTest, AsManyTasksRunAtOnceAsThereAreThreads) {
  ThreadPool pool(3);
  auto* const barrier = new absl::Barrier(3);
  absl::Notification all_met;

  for (int i = 0; i < 3; ++i) {
    pool.Post([&, barrier] {
      if (!barrier->Block()) return;  // True for one of them, which owns the barrier then.
      delete barrier;
      all_met.Notify();
    });
  }

  EXPECT_TRUE(all_met.WaitForNotificationWithTimeout(kExecutorWait));
}

TEST(ThreadPoolDeathTest, PoolNeedsAThread) {
  EXPECT_DEATH(ThreadPool pool(0), "thread_count > 0");
}

TEST(SerialExecutorTest, TasksRunInTheOrderPosted) {
  std::vector<int> order;
  {
    ThreadPool pool(4);
    SerialExecutor serial(&pool);
    for (int i = 0; i < 1000; ++i) serial.Post([&order, i] { order.push_back(i); });
  }

  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(SerialExecutorTest, NoTwoTasksRunAtOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(4);
    SerialExecutor serial(&pool);
    std::vector<std::thread> posters;
    for (int poster = 0; poster < 4; ++poster) {
      posters.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          serial.Post([&] {
            most = std::max(most.load(), ++running);
            ++ran;
            --running;
          });
        }
      });
    }
    for (std::thread& poster : posters) poster.join();
  }

  EXPECT_EQ(ran, 800);
  EXPECT_EQ(most, 1);
}

TEST(SerialExecutorTest, TaskNeverRunsOnTheCallersStack) {
  StepExecutor pool;
  SerialExecutor serial(&pool);
  bool ran = false;

  serial.Post([&ran] { ran = true; });

  EXPECT_FALSE(ran);
  EXPECT_TRUE(pool.RunOne());
  EXPECT_TRUE(ran);
}

TEST(SerialExecutorTest, BusyOneTakesTurnsWithItsNeighbour) {
  StepExecutor pool;
  SerialExecutor busy(&pool);
  SerialExecutor neighbour(&pool);
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) busy.Post([&order] { order.push_back("busy"); });
  neighbour.Post([&order] { order.push_back("neighbour"); });

  while (pool.RunOne()) {
  }

  EXPECT_THAT(order, ElementsAre("busy", "neighbour", "busy", "busy"));
}

TEST(SerialExecutorTest, HasOneTaskInThePoolAtMost) {
  StepExecutor pool;
  SerialExecutor serial(&pool);

  for (int i = 0; i < 3; ++i) serial.Post([] {});

  EXPECT_EQ(pool.queued(), 1U);
}

TEST(SerialExecutorTest, QueuedTasksRunAfterItsDestruction) {
  StepExecutor pool;
  int ran = 0;
  {
    SerialExecutor serial(&pool);
    serial.Post([&ran] { ++ran; });
    serial.Post([&ran] { ++ran; });
  }

  while (pool.RunOne()) {
  }

  EXPECT_EQ(ran, 2);
}

TEST(SerialExecutorTest, TaskMayPostTheNext) {
  StepExecutor pool;
  SerialExecutor serial(&pool);
  bool ran = false;
  serial.Post([&] { serial.Post([&ran] { ran = true; }); });

  while (pool.RunOne()) {
  }

  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace entente
