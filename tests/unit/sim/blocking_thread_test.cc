// SPDX-License-Identifier: Apache-2.0
#include "sim/blocking_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace entente::sim {
namespace {

using ::testing::ElementsAre;

class BlockingThreadTest : public ::testing::Test {
 protected:
  void RunAll() {
    while (scheduler_.RunNext()) {
    }
  }

  Scheduler scheduler_{1};
  std::vector<std::string> done_;  // Touched by whoever has the baton.
  BlockingThread thread_{&scheduler_};
};

TEST_F(BlockingThreadTest, AWaitLetsSimulatedTimePass) {
  const absl::Time start = scheduler_.now();
  thread_.Post([&] {
    const absl::Time until = scheduler_.now() + absl::Hours(3);
    EXPECT_FALSE(thread_.WaitUntil(until, [] { return false; }));
    EXPECT_GE(scheduler_.now(), until);
    done_.push_back("waited");
  });

  RunAll();

  EXPECT_THAT(done_, ElementsAre("waited"));
  EXPECT_LT(scheduler_.now() - start, absl::Hours(3) + absl::Seconds(1));
}

TEST_F(BlockingThreadTest, AWaitEndsWhenWhatItWaitsForIsThere) {
  bool is_there = false;
  thread_.Post([&] {
    EXPECT_TRUE(thread_.WaitUntil(absl::InfiniteFuture(), [&] { return is_there; }));
    done_.push_back("woken");
  });
  scheduler_.After(absl::Seconds(1), [&] {
    done_.push_back("there");
    is_there = true;
    thread_.Wake();
  });

  RunAll();

  EXPECT_THAT(done_, ElementsAre("there", "woken"));
}

TEST_F(BlockingThreadTest, TasksRunInOrder) {
  for (const char* name : {"a", "b", "c"}) {
    thread_.Post([this, name] { done_.push_back(name); });
  }

  RunAll();

  EXPECT_THAT(done_, ElementsAre("a", "b", "c"));
}

TEST_F(BlockingThreadTest, FinishingEndsEveryWaitAndRunsWhatWasPosted) {
  thread_.Post([&] {
    EXPECT_FALSE(thread_.WaitUntil(absl::InfiniteFuture(), [] { return false; }));
    done_.push_back("cut off");
  });
  thread_.Post([&] { done_.push_back("the rest"); });
  RunAll();

  thread_.Finish();

  EXPECT_THAT(done_, ElementsAre("cut off", "the rest"));
}

}  // namespace
}  // namespace entente::sim
