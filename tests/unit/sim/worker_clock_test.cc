// SPDX-License-Identifier: Apache-2.0
// What it costs a task that somebody sets its worker's clock: nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "common/config/proto_time.h"
#include "sim/coordinator_node.h"
#include "sim/fault_plan.h"
#include "sim/worker_node.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOpenPolicy[] = R"(apiVersion: entente/v1
kind: LocalPolicy
rules: [{name: all, effect: allow}]
)";

// A job of one round and one worker, which trains for minutes.
class WorkerClockTest : public ::testing::Test {
 protected:
  WorkerClockTest() {
    auto policy = LocalPolicy::Load(real_files_, folder_.Write("policy.yaml", kOpenPolicy));
    EXPECT_THAT(policy, IsOk());
    policy_ = *std::move(policy);
    config::v1::Dataset dataset;
    dataset.set_name("numbers");
    dataset.set_format(config::v1::Dataset::FORMAT_CSV);
    dataset.set_directory("/srv/numbers");
    datasets_["numbers"] = dataset;
    trainer_faults_.slow = 1;
    recipe_ = DrawRecipe(scheduler_.chance(), /*worker_count=*/1, /*rounds=*/1);
    *recipe_.mutable_pacing()->mutable_deadline() = ToProto(absl::Hours(3));
    *recipe_.mutable_pacing()->mutable_lease() = ToProto(absl::Seconds(15));
    recipe_.mutable_pacing()->set_attempts(1);
    recipe_.mutable_evaluation()->clear_deadline();
    recipe_.mutable_evaluation()->set_every_rounds(0);
  }

  void RunFor(absl::Duration time) {
    bool is_over = false;
    scheduler_.After(time, [&is_over] { is_over = true; });
    while (!is_over) ASSERT_TRUE(scheduler_.RunNext());
  }

  // Runs the job to its end. In the middle of its training the worker's clock jumps.
  void RunJob(absl::Duration jump) {
    CoordinatorNode coordinator({.scheduler = &scheduler_,
                                 .network = &network_,
                                 .disk = &coordinator_disk_,
                                 .clock = &coordinator_clock_,
                                 .promises = &promises_,
                                 .trace = &trace_,
                                 .workers = {worker_id_}});
    ASSERT_THAT(coordinator.Start(), IsOk());
    WorkerNode worker({.scheduler = &scheduler_,
                       .network = &network_,
                       .disk = &worker_disk_,
                       .clock = &worker_clock_,
                       .promises = &promises_,
                       .trace = &trace_,
                       .policy = &*policy_,
                       .datasets = &datasets_,
                       .trainer_faults = &trainer_faults_,
                       .trainer_failures = &trainer_failures_,
                       .machine = 1,
                       .id = worker_id_});
    ASSERT_THAT(worker.Start(), IsOk());
    RunFor(absl::Seconds(30));
    ASSERT_THAT(coordinator.Submit(recipe_, initial_.FileBytes()), IsOk());
    RunFor(absl::Seconds(30));
    ASSERT_THAT(trace_.Text(), HasSubstr("preparing train round 1 attempt 1"));
    ASSERT_THAT(trace_.Text(), Not(HasSubstr("uploading")));

    worker_clock_.Jump(jump);
    while (!promises_.job_has_ended()) {
      ASSERT_TRUE(scheduler_.RunNext());
      for (const auto& [id, participant] : promises_.job().round.participants) {
        was_missing_ |= participant.state == rounds::ParticipantState::kMissing;
      }
    }
  }

  const TempFolder folder_;
  PosixFileSystem real_files_;
  std::optional<LocalPolicy> policy_;
  worker::OfferedDatasets datasets_;
  TrainerFaults trainer_faults_;
  uint64_t trainer_failures_ = 0;
  const WorkerId worker_id_{"lab-1/gpu-1"};
  Scheduler scheduler_{1};
  Trace trace_{&scheduler_, /*is_kept=*/true};
  Network network_{&scheduler_};
  const ToyModel initial_ = ToyModel::Initial(1);
  Promises promises_{initial_};
  v1::Recipe recipe_;
  MachineClock coordinator_clock_{&scheduler_};
  Disk coordinator_disk_{&scheduler_};
  MachineClock worker_clock_{&scheduler_};
  Disk worker_disk_{&scheduler_};
  bool was_missing_ = false;
};

TEST_F(WorkerClockTest, ClockThatIsSetBackADayDoesNotSilenceATask) {
  RunJob(-absl::Hours(24));

  EXPECT_EQ(promises_.job().status, jobs::JobStatus::kCompleted) << promises_.job().reason;
  EXPECT_FALSE(was_missing_) << "its lease ran out";
  EXPECT_EQ(promises_.violation(), "");
}

TEST_F(WorkerClockTest, ClockThatIsSetAheadADayDoesNotEndATask) {
  RunJob(absl::Hours(24));

  EXPECT_EQ(promises_.job().status, jobs::JobStatus::kCompleted) << promises_.job().reason;
  EXPECT_FALSE(was_missing_);
  EXPECT_THAT(trace_.Text(), Not(HasSubstr("failed train")));
  EXPECT_EQ(promises_.violation(), "");
}

}  // namespace
}  // namespace entente::sim
