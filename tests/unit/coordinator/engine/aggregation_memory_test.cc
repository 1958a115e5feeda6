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
#include "common/codec/update_codec.h"
#include "common/codec/update_encoding.h"
#include "common/tensor/safetensors.h"
#include "coordinator/engine/aggregation_run.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::engine {
namespace {

using optimizer::OptimizerName;

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

  // A round to aggregate, and what of `request` a test does not care about is filled in here.
  struct Round {
    int updates = 1;
    size_t numbers = 0;
    int threads = 1;
    AggregationRequest request = {};
  };

  // What aggregating the round reads. With an optimizer that has state it is a second round, which
  // begins with the first one's.
  FaultyFileSystem::Reads ReadsOf(Round round) {
    AggregationRequest& request = round.request;
    request.label = "job/0-1";
    request.block_elements = kBlock;
    // No two results alike: one that is in the store already would be read and hashed there.
    base_ += 10.0F;
    const std::string path = store_->TemporaryPath("base");
    EXPECT_THAT(WriteTextFile(files_, path, FileOf(round.numbers, base_)), IsOk());
    request.base_model = *store_->Adopt(path);
    for (int i = 0; i < round.updates; ++i) {
      const WorkerId worker(absl::StrCat("lab/", i));
      request.updates[worker] = {.path = WriteUpdate(i, round.numbers, request.encoding),
                                 .weight = 1.0 / round.updates};
    }
    ThreadPool pool(2);
    if (request.optimizer.name != OptimizerName::kSgd) {
      const auto earlier = RunAggregation(request, *store_, files_, pool, round.threads);
      EXPECT_THAT(earlier, IsOk());
      request.base_model = earlier->model;
      request.optimizer_state = earlier->optimizer_state;
      EXPECT_FALSE(request.optimizer_state.IsNone());
    }
    files_.TakeReads();
    EXPECT_THAT(RunAggregation(request, *store_, files_, pool, round.threads), IsOk());
    return files_.TakeReads();
  }

  // The path of an update in this encoding.
  std::string WriteUpdate(int index, size_t numbers, const UpdateEncoding& encoding) {
    const std::string source = folder_.Write(absl::StrCat("spool/", index), FileOf(numbers, 0.5F));
    if (encoding == UpdateEncoding::kFp32) return source;
    const std::string path = absl::StrCat(source, "-encoded");
    EXPECT_THAT(EncodeUpdate(files_, {.source = source, .encoding = encoding, .target = path}),
                IsOk());
    return path;
  }

  const TempFolder folder_;
  FaultyFileSystem files_;
  const std::unique_ptr<models::ModelStore> store_;
  float base_ = 0;
};

// Of the model and of every update.
uint64_t AllBytes(int updates, size_t numbers,
                  const UpdateEncoding& encoding = UpdateEncoding::kFp32) {
  return numbers * sizeof(float) + static_cast<uint64_t>(updates) * EncodedBytes(encoding, numbers);
}

// What is hashed later than it was written is read again in pieces of 64 KiB.
constexpr uint64_t kHashedBytes = 4 * kBlockBytes;

// A model so large that a whole file of it, of its updates in int8, of its rounded copy or of the
// optimizer's state could not be read in pieces of the sizes that are allowed here.
constexpr size_t kManyNumbers = 40 * kBlock;
static_assert(kManyNumbers > 2 * kHashedBytes);

TEST_F(AggregationMemoryTest, OneBufferOfABlockTakesAnyNumberOfUpdatesAndAnyModel) {
  struct Case {
    int updates;
    size_t numbers;
  };
  // Beyond 64 updates their files do not stay open.
  for (const auto& [updates, numbers] :
       {Case{2, 2 * kBlock}, Case{64, 2 * kBlock}, Case{65, 2 * kBlock}, Case{2, 20 * kBlock}}) {
    SCOPED_TRACE(absl::StrCat(updates, " updates of ", numbers));

    const FaultyFileSystem::Reads reads = ReadsOf({.updates = updates, .numbers = numbers});

    EXPECT_EQ(reads.largest_bytes, kBlockBytes);
    EXPECT_EQ(reads.buffers.size(), 1U);
    EXPECT_GE(reads.bytes, AllBytes(updates, numbers));
  }
}

TEST_F(AggregationMemoryTest, EveryThreadHasABufferOfItsOwnAndOneMoreHashes) {
  constexpr int kThreads = 3;

  const FaultyFileSystem::Reads reads =
      ReadsOf({.updates = 8, .numbers = kManyNumbers, .threads = kThreads});

  EXPECT_LE(reads.buffers.size(), static_cast<size_t>(kThreads) + 1);
  EXPECT_LE(reads.largest_bytes, kHashedBytes);
  EXPECT_GE(reads.bytes, AllBytes(8, kManyNumbers));
}

TEST_F(AggregationMemoryTest, EncodedUpdatesTakeOneMoreBufferOfWhatABlockIsEncodedIn) {
  const UpdateEncoding encoding = UpdateEncoding::kInt8;
  static_assert(kBlock >= FaultyFileSystem::kLargeReadBytes);  // Of int8 as well.
  for (const int updates : {2, 65}) {
    SCOPED_TRACE(updates);
    Round round = {.updates = updates, .numbers = kManyNumbers};
    round.request.encoding = encoding;

    const FaultyFileSystem::Reads reads = ReadsOf(round);

    EXPECT_EQ(reads.largest_bytes, kBlockBytes);  // The model's.
    EXPECT_EQ(reads.buffers.size(), 2U);
    EXPECT_GE(reads.bytes, AllBytes(updates, kManyNumbers, encoding));
  }
}

TEST_F(AggregationMemoryTest, RoundedCopyIsMadeWithoutReadingTheModelAgain) {
  Round round = {.updates = 2, .numbers = kManyNumbers};
  round.request.rounds_model = true;

  const FaultyFileSystem::Reads reads = ReadsOf(round);

  EXPECT_EQ(reads.largest_bytes, kBlockBytes);
  EXPECT_EQ(reads.buffers.size(), 1U);
  EXPECT_GE(reads.bytes, AllBytes(2, kManyNumbers));
  // Less than the copy is more than all the headers together.
  EXPECT_LT(reads.bytes,
            AllBytes(2, kManyNumbers) + EncodedBytes(UpdateEncoding::kBf16, kManyNumbers) / 2);
}

TEST_F(AggregationMemoryTest, StateOfTheOptimizerIsReadABlockAtATime) {
  for (const OptimizerName name : {OptimizerName::kAdam, OptimizerName::kYogi}) {
    Round round = {.updates = 2, .numbers = kManyNumbers};
    round.request.optimizer.name = name;

    const FaultyFileSystem::Reads reads = ReadsOf(round);

    constexpr uint64_t kStateBytes = kManyNumbers * sizeof(double);  // Of one of its two.
    EXPECT_LE(reads.largest_bytes, kHashedBytes);
    // One for floats and one for each state; and the new state's second half, which is written
    // beside the first, is hashed after it.
    EXPECT_LE(reads.buffers.size(), 4U);
    EXPECT_GE(reads.bytes, AllBytes(2, kManyNumbers) + 2 * kStateBytes);
    EXPECT_LT(reads.bytes, AllBytes(2, kManyNumbers) + 4 * kStateBytes);
  }
}

TEST_F(AggregationMemoryTest, EveryThreadHasItsBuffersWhateverTheRecipeAsksFor) {
  constexpr int kThreads = 3;
  constexpr int kUpdates = 32;  // More than there may be buffers.
  Round round = {.updates = kUpdates, .numbers = kManyNumbers, .threads = kThreads};
  round.request.encoding = UpdateEncoding::kInt8;
  round.request.optimizer.name = OptimizerName::kYogi;
  round.request.rounds_model = true;

  const FaultyFileSystem::Reads reads = ReadsOf(round);

  // A thread's are for floats, for what is encoded and for two states; and there is one to hash the
  // model, one for the state and one for the rounded copy.
  EXPECT_LE(reads.buffers.size(), static_cast<size_t>(4 * kThreads + 3));
  EXPECT_LE(reads.largest_bytes, kHashedBytes);
  EXPECT_GE(reads.bytes, AllBytes(kUpdates, kManyNumbers, UpdateEncoding::kInt8));
}

}  // namespace
}  // namespace entente::engine
