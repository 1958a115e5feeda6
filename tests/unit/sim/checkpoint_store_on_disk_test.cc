// SPDX-License-Identifier: Apache-2.0
// A checkpoint on the simulated disk, which loses what the real one may lose.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "sim/disk.h"
#include "tests/support/status_matchers.h"
#include "worker/trainer_host/checkpoint_store.h"

namespace entente::sim {
namespace {

constexpr char kTrainingState[] = "hours of training";
constexpr char kCheckpointName[] = "toy-1.checkpoint";
constexpr char kKeptFolder[] = "/lab/checkpoints";
constexpr char kTrainersFolder[] = "/lab/trainer";

// Of several seeds, for it is chance what a power cut leaves of unsynced bytes and names.
class CheckpointStoreOnDiskTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  std::unique_ptr<worker::CheckpointStore> Open() {
    auto store = worker::CheckpointStore::Open(&files_, kKeptFolder, kTrainersFolder);
    EXPECT_THAT(store, IsOk());
    return store.ok() ? *std::move(store) : nullptr;
  }
  // As the start of the next trainer: its folder is emptied, and it is asked for the same task.
  std::string StateForTheNextTrainer() {
    const auto store = Open();
    if (store == nullptr) return "";
    store->TakeBack();
    EXPECT_THAT(files_.RemoveTree(kTrainersFolder), IsOk());
    EXPECT_THAT(files_.CreateFolder(kTrainersFolder), IsOk());
    const auto path = store->HandOut(kCheckpointName);
    EXPECT_THAT(path, IsOk());
    return path.ok() ? ReadTextFile(files_, *path, 100).value_or("") : "";
  }

  Scheduler scheduler_{GetParam()};
  Disk disk_{&scheduler_};
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [] { return true; }};
};

INSTANTIATE_TEST_SUITE_P(Seeds, CheckpointStoreOnDiskTest, ::testing::Range<uint64_t>(1, 21));

TEST_P(CheckpointStoreOnDiskTest, CheckpointSurvivesOnePowerCutAfterAnother) {
  ASSERT_THAT(files_.CreateFolder(kTrainersFolder), IsOk());
  {
    const auto store = Open();
    ASSERT_NE(store, nullptr);
    ASSERT_OK_AND_ASSIGN(const std::string path, store->HandOut(kCheckpointName));
    ASSERT_THAT(WriteTextFile(files_, path, kTrainingState), IsOk());  // Trainers sync it.
  }

  // Each comes before the trainer has written another one.
  for (int cut = 1; cut <= 5; ++cut) {
    disk_.LosePower();
    EXPECT_EQ(StateForTheNextTrainer(), kTrainingState) << "after power cut " << cut;
  }
}

}  // namespace
}  // namespace entente::sim
