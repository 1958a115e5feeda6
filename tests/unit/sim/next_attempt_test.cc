// SPDX-License-Identifier: Apache-2.0
// What an aborted attempt costs a worker that was done with its training: nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/config/proto_time.h"
#include "sim/coordinator_node.h"
#include "sim/fault_plan.h"
#include "sim/worker_node.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::sim {
namespace {

constexpr char kAnyJob[] = R"(apiVersion: entente/v1
kind: LocalPolicy
rules: [{name: all, effect: allow}]
)";

// A job of one round that needs both of its workers.
class NextAttemptTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  NextAttemptTest() {
    auto policy = LocalPolicy::Load(real_files_, folder_.Write("policy.yaml", kAnyJob));
    EXPECT_THAT(policy, IsOk());
    policy_ = *std::move(policy);
    config::v1::Dataset dataset;
    dataset.set_name("numbers");
    dataset.set_format(config::v1::Dataset::FORMAT_CSV);
    dataset.set_directory("/srv/numbers");
    datasets_["numbers"] = dataset;
    recipe_ = DrawRecipe(scheduler_.chance(), /*worker_count=*/2, /*rounds=*/1);
    v1::Pacing& pacing = *recipe_.mutable_pacing();
    pacing.mutable_quorum()->set_count(2);
    *pacing.mutable_deadline() = ToProto(absl::Minutes(5));
    *pacing.mutable_lease() = ToProto(absl::Minutes(4));
    pacing.set_attempts(3);
    recipe_.mutable_evaluation()->clear_deadline();
    recipe_.mutable_evaluation()->set_every_rounds(0);
  }

  void RunFor(absl::Duration time) {
    bool is_over = false;
    scheduler_.After(time, [&is_over] { is_over = true; });
    while (!is_over) ASSERT_TRUE(scheduler_.RunNext());
  }

  // For an hour at most.
  void RunUntil(const std::function<bool()>& is_there) {
    const absl::Time limit = scheduler_.now() + absl::Hours(1);
    while (!is_there()) {
      ASSERT_LT(scheduler_.now(), limit) << trace_.Text();
      ASSERT_TRUE(scheduler_.RunNext());
    }
  }

  std::unique_ptr<WorkerNode> MakeWorker(size_t index) {
    return std::make_unique<WorkerNode>(
        WorkerNode::Dependencies{.scheduler = &scheduler_,
                                 .network = &network_,
                                 .disk = &worker_disks_[index],
                                 .clock = &clock_,
                                 .promises = &promises_,
                                 .trace = &trace_,
                                 .policy = &*policy_,
                                 .datasets = &datasets_,
                                 .trainer_faults = &trainer_faults_[index],
                                 .trainer_failures = &trainer_failures_,
                                 .machine = static_cast<int>(index) + 1,
                                 .id = worker_ids_[index]});
  }

  bool HasAccepted(const WorkerId& worker) const {
    const auto& participants = promises_.job().round.participants;
    const auto found = participants.find(worker);
    return found != participants.end() &&
           found->second.state == rounds::ParticipantState::kAccepted;
  }

  // Whether the first worker said this of the round's second attempt.
  bool HasSaid(const std::string& what) const {
    const std::string text = trace_.Text();
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StrContains(line, "worker1->>coordinator: ") &&
          absl::StrContains(line, what + " train round 1 attempt 2")) {
        return true;
      }
    }
    return false;
  }

  const TempFolder folder_;
  PosixFileSystem real_files_;
  std::optional<LocalPolicy> policy_;
  worker::OfferedDatasets datasets_;
  std::array<TrainerFaults, 2> trainer_faults_;
  uint64_t trainer_failures_ = 0;
  const std::vector<WorkerId> worker_ids_{WorkerId("lab-1/gpu-1"), WorkerId("lab-2/gpu-1")};
  Scheduler scheduler_{GetParam()};
  Trace trace_{&scheduler_, /*is_kept=*/true};
  Network network_{&scheduler_};
  const ToyModel initial_ = ToyModel::Initial(1);
  Promises promises_{initial_};
  v1::Recipe recipe_;
  MachineClock clock_{&scheduler_};
  Disk coordinator_disk_{&scheduler_};
  std::array<Disk, 2> worker_disks_{Disk(&scheduler_), Disk(&scheduler_)};
};

INSTANTIATE_TEST_SUITE_P(Seeds, NextAttemptTest, ::testing::Range<uint64_t>(1, 4));

TEST_P(NextAttemptTest, UpdateOfAnAbortedAttemptIsSentInTheNextWithoutTraining) {
  CoordinatorNode coordinator({.scheduler = &scheduler_,
                               .network = &network_,
                               .disk = &coordinator_disk_,
                               .clock = &clock_,
                               .promises = &promises_,
                               .trace = &trace_,
                               .workers = worker_ids_});
  ASSERT_THAT(coordinator.Start(), IsOk());
  trainer_faults_[1].slow = 1;  // A minute at least.
  auto first = MakeWorker(0);
  auto second = MakeWorker(1);
  ASSERT_THAT(first->Start(), IsOk());
  ASSERT_THAT(second->Start(), IsOk());
  RunFor(absl::Seconds(30));
  ASSERT_THAT(coordinator.Submit(recipe_, initial_.FileBytes()), IsOk());
  RunFor(absl::Seconds(30));

  second.reset();  // In the middle of its training. The attempt ends at its deadline.
  RunUntil([this] { return HasAccepted(worker_ids_[0]); });
  ASSERT_EQ(promises_.job().round.attempt, 1U);
  RunUntil([this] { return promises_.job().round.attempt == 2; });
  trainer_faults_[1].slow = 0;
  second = MakeWorker(1);
  ASSERT_THAT(second->Start(), IsOk());
  RunUntil([this] { return promises_.job_has_ended(); });

  EXPECT_EQ(promises_.job().status, jobs::JobStatus::kCompleted) << promises_.job().reason;
  EXPECT_EQ(promises_.violation(), "");
  EXPECT_TRUE(HasSaid("accepted")) << trace_.Text();
  EXPECT_FALSE(HasSaid("preparing")) << trace_.Text();
}

}  // namespace
}  // namespace entente::sim
