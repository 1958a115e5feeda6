// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/chunk_compression.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMax = uint64_t{1} << 40;

std::string Noise(size_t size) {
  std::mt19937 random(1);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return noise;
}

// A frame of that many zeros.
std::string FrameOf(size_t size) {
  std::string data(size, '\0');
  EXPECT_TRUE(ChunkCompressor().Compress(&data));
  return data;
}

absl::Status Refusal(const std::string& frame, uint64_t raw_bytes, uint64_t raw_bytes_max = kMax) {
  return ChunkDecompressor().Decompress(frame, raw_bytes, raw_bytes_max).status();
}

TEST(ChunkCompressionTest, ChunksComeBackAsTheyWere) {
  ChunkCompressor compressor;
  ChunkDecompressor decompressor;
  for (const size_t size : {size_t{100}, size_t{limits::kTransferChunkBytes}, size_t{5000}}) {
    std::string raw;
    for (size_t i = 0; i < size; ++i) raw.push_back(static_cast<char>(i % 7));
    std::string data = raw;

    ASSERT_TRUE(compressor.Compress(&data));

    EXPECT_LT(data.size(), size);
    ASSERT_OK_AND_ASSIGN(const absl::string_view back, decompressor.Decompress(data, size, kMax));
    EXPECT_TRUE(back == raw);
  }
}

TEST(ChunkCompressionTest, WhatDoesNotShrinkStaysAndSavesTheNextFewTheTry) {
  ChunkCompressor compressor;
  const std::string noise = Noise(10'000);
  std::string data = noise;

  EXPECT_FALSE(compressor.Compress(&data));

  EXPECT_EQ(data, noise);
  int tries = 1;
  for (std::string zeros(1000, '\0'); !compressor.Compress(&zeros); ++tries) ASSERT_LT(tries, 20);
  EXPECT_EQ(tries, 8);
  std::string nothing;
  EXPECT_FALSE(compressor.Compress(&nothing));
}

TEST(ChunkCompressionTest, WhatIsNoFrameIsRefused) {
  EXPECT_THAT(Refusal("", 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a Zstandard frame")));
  EXPECT_THAT(Refusal("no frame at all", 10), StatusIs(absl::StatusCode::kInvalidArgument));
  // A skippable frame, and one of a format of before.
  EXPECT_THAT(Refusal(std::string("\x50\x2a\x4d\x18\x01\x00\x00\x00x", 9), 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Refusal(std::string("\x27\xb5\x2f\xfd\x00\x00\x00\x00", 8), 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChunkCompressionTest, SizeThatIsNotTheFramesIsRefused) {
  const std::string frame = FrameOf(1000);
  EXPECT_THAT(Refusal(frame, 999), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("does not say that it holds")));
  EXPECT_THAT(Refusal(frame, 1001), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Refusal(frame, 0), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Refusal(frame, 1000, 999),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("here 1 to 999 can be")));
  // It does not say how much it holds.
  EXPECT_THAT(Refusal(std::string("\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00", 9), 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChunkCompressionTest, BombIsRefusedBeforeItIsOpened) {
  const uint64_t limit = limits::kTransferChunkBytes;
  // Frame header: content size of 8 bytes, single segment.
  std::string bomb("\x28\xb5\x2f\xfd\xe0", 5);
  for (int i = 0; i < 8; ++i) bomb.push_back('\x7f');

  EXPECT_THAT(Refusal(bomb, limit), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Refusal(bomb, 0x7f7f7f7f7f7f7f7f),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 to 1048576")));
  EXPECT_THAT(Refusal(FrameOf(limit), limit + 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChunkCompressionTest, CutFrameAndASecondFrameAreRefused) {
  const std::string frame = FrameOf(1000);
  for (size_t size = 0; size < frame.size(); ++size) {
    EXPECT_THAT(Refusal(frame.substr(0, size), 1000), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(Refusal(frame + frame, 1000),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more follows")));
  EXPECT_THAT(Refusal(frame + "x", 1000), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ChunkCompressionTest, DecompressorGoesOnAfterAFrameThatItRefused) {
  ChunkDecompressor decompressor;
  std::string spoilt = FrameOf(1000);
  spoilt[spoilt.size() / 2] = static_cast<char>(~spoilt[spoilt.size() / 2]);
  decompressor.Decompress(spoilt, 1000, kMax).IgnoreError();

  EXPECT_THAT(decompressor.Decompress(FrameOf(1000), 1000, kMax), IsOk());
}

}  // namespace
}  // namespace entente
