// SPDX-License-Identifier: Apache-2.0
#include "sim/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace entente::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MachineTest : public ::testing::Test {
 protected:
  void RunFor(absl::Duration time) {
    bool is_over = false;
    scheduler_.After(time, [&is_over] { is_over = true; });
    while (!is_over) ASSERT_TRUE(scheduler_.RunNext());
  }

  Scheduler scheduler_{1};
  MachineClock clock_{&scheduler_};
  Process process_{&scheduler_, &clock_};
  std::vector<std::string> done_;
};

TEST_F(MachineTest, TimersRunAtTheirTimesUnlessTheyAreCancelled) {
  process_.RunAt(clock_.Now() + absl::Seconds(2), [this] { done_.push_back("2"); });
  process_.RunAt(clock_.Now() + absl::Seconds(1), [this] { done_.push_back("1"); });
  process_.Cancel(
      process_.RunAt(clock_.Now() + absl::Seconds(1), [this] { done_.push_back("none"); }));

  RunFor(absl::Milliseconds(1500));
  EXPECT_THAT(done_, ElementsAre("1"));
  RunFor(absl::Seconds(1));
  EXPECT_THAT(done_, ElementsAre("1", "2"));
}

TEST_F(MachineTest, AClockThatIsSetBackMakesTimersWait) {
  process_.RunAt(clock_.Now() + absl::Seconds(10), [this] { done_.push_back("due"); });
  clock_.Jump(-absl::Minutes(1));

  RunFor(absl::Seconds(60));
  EXPECT_THAT(done_, IsEmpty());
  RunFor(absl::Seconds(11));
  EXPECT_THAT(done_, ElementsAre("due"));
}

TEST_F(MachineTest, PausesLastAsLongWhateverTheClockIsSetTo) {
  const SteadyMachineClock steady(&scheduler_);
  SteadyTimers pauses(&process_, &steady);
  pauses.RunAt(steady.Now() + absl::Seconds(10), [this] { done_.push_back("due"); });
  pauses.Cancel(pauses.RunAt(steady.Now() + absl::Seconds(1), [this] { done_.push_back("none"); }));
  pauses.RunAt(absl::InfiniteFuture(), [this] { done_.push_back("never"); });
  clock_.Jump(-absl::Hours(24));

  RunFor(absl::Seconds(9));
  EXPECT_THAT(done_, IsEmpty());
  RunFor(absl::Seconds(2));
  EXPECT_THAT(done_, ElementsAre("due"));
}

TEST_F(MachineTest, NothingRunsInADeadProcess) {
  process_.Post([this] { done_.push_back("posted"); });
  process_.RunAt(clock_.Now(), [this] { done_.push_back("due"); });
  process_.Die();
  process_.Post([this] { done_.push_back("late"); });

  RunFor(absl::Seconds(1));

  EXPECT_THAT(done_, IsEmpty());
}

TEST_F(MachineTest, QueuesOfADeadProcessComeToTheirEnd) {
  // As a job does: what its executor has queued holds on to the executor.
  auto executor = std::make_shared<SerialExecutor>(&process_);
  const std::weak_ptr<SerialExecutor> watched = executor;
  for (int i = 0; i < 3; ++i) executor->Post([executor] {});
  executor->Post([this, executor] {
    process_.RunAt(clock_.Now(), [this, executor] { done_.push_back("due"); });
    process_.PostAfter(absl::ZeroDuration(), [this, executor] { done_.push_back("later"); });
    executor->Post([this] { done_.push_back("posted at the end"); });
  });
  executor.reset();
  process_.Die();

  process_.Finish();

  EXPECT_TRUE(watched.expired());
  EXPECT_THAT(done_, ElementsAre("posted at the end"));
}

TEST_F(MachineTest, AProcessDiesAtTheFileOperationThatWasChosen) {
  process_.DieAtFileOperation(3);

  EXPECT_TRUE(process_.EnterFileOperation());
  EXPECT_TRUE(process_.EnterFileOperation());
  EXPECT_TRUE(process_.alive());
  process_.EnterFileOperation();  // This one may happen or not.
  EXPECT_FALSE(process_.alive());
  EXPECT_FALSE(process_.EnterFileOperation());
}

}  // namespace
}  // namespace entente::sim
