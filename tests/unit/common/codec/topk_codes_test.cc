// SPDX-License-Identifier: Apache-2.0
#include "common/codec/topk_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/base/random_source.h"
#include "tests/support/bytes_of.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Chunk(const std::vector<float>& values, size_t entries, TopkValues form) {
  std::string bytes;
  AppendTopkChunk(values, entries, form, &bytes);
  return bytes;
}

std::vector<float> Decoded(const std::string& bytes, size_t entries, TopkValues form, size_t size) {
  std::vector<float> values(size, 99.0F);
  EXPECT_THAT(DecodeTopkChunk(bytes, entries, form, absl::MakeSpan(values)), IsOk());
  return values;
}

TEST(TopkChunkTest, BytesAreAsTheManualHasThem) {
  // Indices 1, 2 and 4: 001 002 004 as bits from the lowest: 01 20 00 04 and half a byte of
  // padding.
  const std::string bytes = Chunk({0, 127, -64, 1, 2}, 3, TopkValues::kInt8);
  EXPECT_EQ(bytes, BytesOf({1.0F}) + std::string("\x01\x20\x00\x04\x00\x7f\xc0\x02", 8));
  EXPECT_EQ(bytes.size(), TopkChunkBytes(3, TopkValues::kInt8));
  EXPECT_THAT(Decoded(bytes, 3, TopkValues::kInt8, 5), ElementsAre(0, 127, -64, 0, 2));
}

TEST(TopkChunkTest, TwoBitsAreTheNearestLevel) {
  // -1, -1/3, 1/3, 1 of scale 3: codes 0, 1, 2, 3 and a tie up.
  const std::string bytes = Chunk({-3, -1, 1, 3, 2}, 5, TopkValues::k2Bit);
  EXPECT_EQ(bytes.substr(4 + 8), std::string("\xe4\x03", 2));
  EXPECT_THAT(Decoded(bytes, 5, TopkValues::k2Bit, 5), ElementsAre(-3, -1, 1, 3, 3));
}

TEST(TopkChunkTest, LargestAreTakenAsASortWould) {
  std::vector<float> values(kTopkChunkElements);
  for (size_t i = 0; i < values.size(); ++i) {
    // Few different magnitudes, so that there are ties.
    values[i] = static_cast<float>(SplitMix64At(5, i) % 201) - 100;
  }
  for (const size_t entries : {size_t{1}, size_t{128}, size_t{129}, size_t{2048}}) {
    std::vector<size_t> order(values.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::fabs(values[a]) > std::fabs(values[b]);
    });
    std::vector<bool> is_taken(values.size());
    for (size_t i = 0; i < entries; ++i) is_taken[order[i]] = true;

    const std::string bytes = Chunk(values, entries, TopkValues::kInt8);
    const std::vector<float> decoded = Decoded(bytes, entries, TopkValues::kInt8, values.size());

    EXPECT_EQ(bytes.size(), 4 + (entries * 12 + 7) / 8 + entries);
    for (size_t i = 0; i < values.size(); ++i) {
      if (is_taken[i]) {
        EXPECT_NEAR(decoded[i], values[i], 100.0 / 254 + 1e-4);
      } else {
        EXPECT_EQ(decoded[i], 0);
      }
    }
  }
}

TEST(TopkChunkTest, NothingButZerosHasScaleZero) {
  for (const TopkValues form : {TopkValues::kInt8, TopkValues::k2Bit}) {
    const std::string bytes = Chunk({0, 0, 1e-45F}, 1, form);
    EXPECT_THAT(Decoded(bytes, 1, form, 3), ElementsAre(0, 0, 0));
  }
}

TEST(TopkChunkTest, BytesThatAreNoneAreRefused) {
  std::vector<float> values(5);
  const auto refuses = [&values](const std::string& scale_and_rest, const std::string& why) {
    EXPECT_THAT(DecodeTopkChunk(scale_and_rest, 3, TopkValues::kInt8, absl::MakeSpan(values)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  const std::string one = BytesOf({1.0F});
  const std::string good("\x01\x20\x00\x04\x00\x7f\xc0\x02", 8);
  refuses(BytesOf({-1.0F}) + good, "the scale is -1");
  refuses(one + std::string("\x01\x10\x00\x04\x00\x7f\xc0\x02", 8), "entry 1 has index 1");
  refuses(one + std::string("\x02\x10\x00\x04\x00\x7f\xc0\x02", 8), "entry 1 has index 1");
  refuses(one + std::string("\x01\x20\x00\x05\x00\x7f\xc0\x02", 8), "entry 2 has index 5");
  refuses(one + std::string("\x01\xf0\xff\x04\x00\x7f\xc0\x02", 8), "entry 1 has index 4095");
  refuses(one + std::string("\x01\x20\x00\x04\x10\x7f\xc0\x02", 8), "after the last entry");
  refuses(one + std::string("\x01\x20\x00\x04\x00\x7f\x80\x02", 8), "-128");
  // 2-bit values: one byte, of which two bits are over.
  std::vector<float> three(3);
  EXPECT_THAT(DecodeTopkChunk(one + std::string("\x00\x10\x00\x02\x00\x40", 6), 3,
                              TopkValues::k2Bit, absl::MakeSpan(three)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("after the last entry")));
}

}  // namespace
}  // namespace entente
