// SPDX-License-Identifier: Apache-2.0
// An upload on the simulated disk, which loses what the real one may lose.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "common/crypto/sha256.h"
#include "common/transfer/incoming_file.h"
#include "sim/disk.h"
#include "tests/support/status_matchers.h"

namespace entente::sim {
namespace {

constexpr char kBytes[] = "an update";

// Of several seeds, for it is chance what a power cut leaves of unsynced bytes.
class IncomingFileOnDiskTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  std::unique_ptr<IncomingFile> Open() {
    auto file = IncomingFile::Open(files_, "/update", sizeof(kBytes) - 1, /*free_bytes_min=*/0,
                                   PathLease());
    EXPECT_THAT(file, IsOk());
    return file.ok() ? *std::move(file) : nullptr;
  }

  Scheduler scheduler_{GetParam()};
  Disk disk_{&scheduler_};
  int operations_left_ = std::numeric_limits<int>::max();  // Until the process is killed.
  DiskFileSystem files_{&disk_, Durability::kPowerLoss, [this] { return operations_left_-- > 0; }};
};

INSTANTIATE_TEST_SUITE_P(Seeds, IncomingFileOnDiskTest, ::testing::Range<uint64_t>(1, 21));

TEST_P(IncomingFileOnDiskTest, PartThatCouldNotBeSyncedIsOnTheDiskOnceItIsCommitted) {
  auto file = Open();
  ASSERT_THAT(file->Append(0, kBytes), IsOk());
  // Killed between the sync that fails and the part's removal.
  disk_.faults.sync_fails = 1;
  operations_left_ = 1;
  EXPECT_FALSE(file->Verify(Sha256Of(kBytes)).ok());
  disk_.faults.sync_fails = 0;
  operations_left_ = std::numeric_limits<int>::max();

  file = Open();
  if (file->offset() == 0) {
    ASSERT_THAT(file->Append(0, kBytes), IsOk());
  }
  ASSERT_THAT(file->Verify(Sha256Of(kBytes)), IsOk());
  ASSERT_THAT(file->Commit(), IsOk());
  disk_.LosePower();

  EXPECT_EQ(*ReadTextFile(files_, "/update", 100), kBytes);
}

}  // namespace
}  // namespace entente::sim
