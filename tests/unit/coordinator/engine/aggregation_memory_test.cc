// SPDX-License-Identifier: Apache-2.0
// What an aggregation has in memory does not grow with the updates or the model. The seam is the
// disk: whoever read a whole file, or took a buffer for each update, would show there in the
// largest read or in the number of buffers, and whoever mapped a file in bytes that were not read
// at all.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/executor.h"
#include "common/tensor/safetensors.h"
#include "coordinator/engine/aggregation_run.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::engine {
namespace {

constexpr size_t kBlock = 4096;
constexpr uint64_t kBlockBytes = kBlock * sizeof(float);
static_assert(kBlockBytes >= FaultyFileSystem::kLargeReadBytes);

class AggregationMemoryTest : public ::testing::Test {
 protected:
  AggregationMemoryTest() : store_(*models::ModelStore::Create(files_, folder_.File("models"))) {}

  // A file of so many numbers, all the same.
  static std::string FileOf(size_t numbers, float value) {
    return SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {numbers}}})) +
           BytesOf(std::vector<float>(numbers, value));
  }

  // What aggregating so many updates of a model of so many numbers reads.
  FaultyFileSystem::Reads ReadsOf(int updates, size_t numbers, int threads) {
    AggregationRequest request;
    request.label = "job/0-1";
    request.block_elements = kBlock;
    // No two results alike: one that is in the store already would be read and hashed there.
    base_ += 10.0F;
    const std::string path = store_->TemporaryPath("base");
    EXPECT_THAT(WriteTextFile(files_, path, FileOf(numbers, base_)), IsOk());
    request.base_model = *store_->Adopt(path);
    for (int i = 0; i < updates; ++i) {
      const WorkerId worker(absl::StrCat("lab/", i));
      request.updates[worker] = {
          .path = folder_.Write(absl::StrCat("spool/", i), FileOf(numbers, 0.5F)),
          .weight = 1.0 / updates};
    }
    ThreadPool pool(2);
    files_.TakeReads();
    EXPECT_THAT(RunAggregation(request, *store_, files_, pool, threads), IsOk());
    return files_.TakeReads();
  }

  const TempFolder folder_;
  FaultyFileSystem files_;
  const std::unique_ptr<models::ModelStore> store_;
  float base_ = 0;
};

// Of the model and of every update.
uint64_t AllBytes(int updates, size_t numbers) {
  return (static_cast<uint64_t>(updates) + 1) * numbers * sizeof(float);
}

TEST_F(AggregationMemoryTest, OneBufferOfABlockTakesAnyNumberOfUpdatesAndAnyModel) {
  struct Case {
    int updates;
    size_t numbers;
  };
  // Beyond 64 updates their files do not stay open.
  for (const auto& [updates, numbers] :
       {Case{2, 2 * kBlock}, Case{64, 2 * kBlock}, Case{65, 2 * kBlock}, Case{2, 20 * kBlock}}) {
    SCOPED_TRACE(absl::StrCat(updates, " updates of ", numbers));

    const FaultyFileSystem::Reads reads = ReadsOf(updates, numbers, /*threads=*/1);

    EXPECT_EQ(reads.largest_bytes, kBlockBytes);
    EXPECT_EQ(reads.buffers.size(), 1U);
    EXPECT_GE(reads.bytes, AllBytes(updates, numbers));
  }
}

TEST_F(AggregationMemoryTest, EveryThreadHasABufferOfItsOwnAndOneMoreHashes) {
  constexpr int kThreads = 3;

  const FaultyFileSystem::Reads reads = ReadsOf(/*updates=*/8, 40 * kBlock, kThreads);

  EXPECT_LE(reads.buffers.size(), static_cast<size_t>(kThreads) + 1);
  EXPECT_LE(reads.largest_bytes, 4 * kBlockBytes);  // What is hashed is read in 64 KiB.
  EXPECT_GE(reads.bytes, AllBytes(8, 40 * kBlock));
}

}  // namespace
}  // namespace entente::engine
