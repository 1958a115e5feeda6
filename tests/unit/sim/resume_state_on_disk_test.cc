// SPDX-License-Identifier: Apache-2.0
// A finished update on the simulated disk, which loses what the real one may lose.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/crypto/sha256.h"
#include "sim/disk.h"
#include "tests/support/status_matchers.h"
#include "worker/session/resume_state.h"

namespace entente::sim {
namespace {

constexpr char kUpdateBytes[] = "an update of hours";
constexpr char kUpdatesFolder[] = "/lab/updates";

// Of several seeds, for it is chance what a power cut leaves of unsynced bytes.
class ResumeStateOnDiskTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  static v1::Task Task() {
    v1::Task task;
    task.mutable_key()->set_job_id("toy-1");
    task.mutable_key()->set_attempt(1);
    task.mutable_key()->set_kind(v1::TaskKey::KIND_TRAIN);
    task.set_model_digest(Sha256Of("model").ToHex());
    task.set_recipe_digest(Sha256Of("recipe").ToHex());
    task.set_seed(7);
    return task;
  }

  static std::unique_ptr<worker::ResumeState> Open(FileSystem& files) {
    auto state = worker::ResumeState::Open(&files, kUpdatesFolder);
    EXPECT_THAT(state, IsOk());
    return state.ok() ? *std::move(state) : nullptr;
  }

  // As a worker does: the update is written, unsynced, and then kept.
  absl::Status WriteAndKeep(worker::ResumeState& state) {
    EXPECT_THAT(WriteTextFile(work_files_, state.UpdatePath(Task().key()), kUpdateBytes), IsOk());
    v1::UploadHeader header;
    *header.mutable_update()->mutable_key() = Task().key();
    header.mutable_update()->set_base_model_digest(Task().model_digest());
    header.mutable_update()->set_examples(10);
    header.mutable_update()->set_training_loss(0.5);
    header.set_digest(Sha256Of(kUpdateBytes).ToHex());
    header.set_total_bytes(sizeof(kUpdateBytes) - 1);
    return state.Keep(header, Task());
  }

  Scheduler scheduler_{GetParam()};
  Disk disk_{&scheduler_};
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [] { return true; }};
  DiskFileSystem work_files_{&disk_, Durability::kProcess, [] { return true; }};
};

INSTANTIATE_TEST_SUITE_P(Seeds, ResumeStateOnDiskTest, ::testing::Range<uint64_t>(1, 21));

TEST_P(ResumeStateOnDiskTest, KeptUpdateSurvivesThePower) {
  const auto state = Open(files_);
  ASSERT_NE(state, nullptr);
  ASSERT_THAT(WriteAndKeep(*state), IsOk());

  disk_.LosePower();

  DiskFileSystem files_after(&disk_, Durability::kPowerLoss, [] { return true; });
  const auto after = Open(files_after);
  ASSERT_NE(after, nullptr);
  const auto kept = after->Find(Task());
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(*ReadTextFile(files_after, kept->path, 100), kUpdateBytes);
}

TEST_P(ResumeStateOnDiskTest, UpdateThatTheDiskDidNotTakeIsNotSaidToBeKept) {
  const auto state = Open(files_);
  ASSERT_NE(state, nullptr);
  disk_.faults.sync_fails = 1;

  EXPECT_FALSE(WriteAndKeep(*state).ok());
}

}  // namespace
}  // namespace entente::sim
