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
  // Places 1, 2 and 4 of 5 have no low bits; their map is of 7 bits, of which 1, 3 and 6 are set.
  const std::string bytes = Chunk({0, 127, -64, 1, 2}, 3, TopkValues::kInt8);
  EXPECT_EQ(bytes, BytesOf({1.0F}) + std::string("\x4a\x7f\xc0\x02"));
  EXPECT_EQ(bytes.size(), TopkChunkBytes(5, 3, TopkValues::kInt8));
  EXPECT_THAT(Decoded(bytes, 3, TopkValues::kInt8, 5), ElementsAre(0, 127, -64, 0, 2));
}

TEST(TopkChunkTest, TwoBitsAreTheNearestLevel) {
  // -1, -1/3, 1/3, 1 of scale 3: codes 0, 1, 2, 3 and a tie up.
  const std::string bytes = Chunk({-3, -1, 1, 3, 2}, 5, TopkValues::k2Bit);
  EXPECT_EQ(bytes.substr(4 + 2), std::string("\xe4\x03", 2));
  EXPECT_THAT(Decoded(bytes, 5, TopkValues::k2Bit, 5), ElementsAre(-3, -1, 1, 3, 3));
}

TEST(TopkChunkTest, LargestAreTakenAsASortWould) {
  std::vector<float> values(kTopkChunkElements);
  for (size_t i = 0; i < values.size(); ++i) {
    // Few different magnitudes, so that there are ties.
    values[i] = static_cast<float>(SplitMix64At(5, i) % 201) - 100;
  }
  // 12 low bits and 1 of the map; 5 of each and 255; 4 of each and 384; 1 of each and 4095.
  const std::pair<size_t, size_t> entries_and_place_bytes[] = {
      {1, 2}, {128, 112}, {129, 113}, {2048, 768}};
  for (const auto& [entries, place_bytes] : entries_and_place_bytes) {
    std::vector<size_t> order(values.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::fabs(values[a]) > std::fabs(values[b]);
    });
    std::vector<bool> is_taken(values.size());
    for (size_t i = 0; i < entries; ++i) is_taken[order[i]] = true;

    const std::string bytes = Chunk(values, entries, TopkValues::kInt8);
    const std::vector<float> decoded = Decoded(bytes, entries, TopkValues::kInt8, values.size());

    EXPECT_EQ(bytes.size(), 4 + place_bytes + entries);
    for (size_t i = 0; i < values.size(); ++i) {
      if (is_taken[i]) {
        EXPECT_NEAR(decoded[i], values[i], 100.0 / 254 + 1e-4);
      } else {
        EXPECT_EQ(decoded[i], 0);
      }
    }
  }
}

TEST(TopkChunkTest, AnyPlacesOfAnyChunkComeBack) {
  for (const size_t size : {1, 2, 3, 7, 8, 9, 31, 64, 65, 1000, 4095, 4096}) {
    for (size_t entries = 1; entries <= size; entries = entries * 4 / 3 + 1) {
      // What is taken lies together at the end, or is spread at random.
      for (const bool is_spread : {false, true}) {
        std::vector<float> values(size);
        for (size_t i = 0; i < size; ++i) {
          values[i] = is_spread ? static_cast<float>(SplitMix64At(size, i) % 100'000)
                                : static_cast<float>(i);
        }
        const std::string bytes = Chunk(values, entries, TopkValues::kInt8);
        ASSERT_EQ(bytes.size(), TopkChunkBytes(size, entries, TopkValues::kInt8));
        const std::vector<float> decoded = Decoded(bytes, entries, TopkValues::kInt8, size);
        std::vector<float> sorted = values;
        std::sort(sorted.begin(), sorted.end());
        const float smallest_taken = sorted[size - entries];
        const float step = sorted.back() / 127;
        for (size_t i = 0; i < size; ++i) {
          if (values[i] < smallest_taken) {
            ASSERT_EQ(decoded[i], 0) << i << " of " << size << ", " << entries << " taken";
          } else if (values[i] > smallest_taken) {
            ASSERT_NEAR(decoded[i], values[i], step * 0.51)
                << i << " of " << size << ", " << entries << " taken";
          }
        }
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
  refuses(BytesOf({-1.0F}) + "\x4a\x7f\xc0\x02", "the scale is -1");
  refuses(one + "\x46\x7f\xc0\x02", "entry 1 has place 1");
  refuses(one + "\x41\x7f\xc0\x02", "entry 1 has place 5");
  refuses(one + "\x55\x7f\xc0\x02", "there are more than 3 places");
  refuses(one + "\x0a\x7f\xc0\x02", "there are 2 places for 3 entries");
  refuses(one + "\xca\x7f\xc0\x02", "after the last place");
  refuses(one + "\x4a\x7f\x80\x02", "-128");
  // 2 of 8 have two low bits, 3 and 1, and the same above them.
  std::vector<float> eight(8);
  EXPECT_THAT(DecodeTopkChunk(one + "\x37\x7f\x7f", 2, TopkValues::kInt8, absl::MakeSpan(eight)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("entry 1 has place 1")));
  // 2 of 7 have one, and the last would be the eighth.
  EXPECT_THAT(
      DecodeTopkChunk(one + "\x46\x7f\x7f", 2, TopkValues::kInt8, absl::MakeSpan(eight).first(7)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("entry 1 has place 7")));
  // 2-bit values: one byte, of which two bits are over.
  std::vector<float> three(3);
  EXPECT_THAT(DecodeTopkChunk(one + "\x15\x40", 3, TopkValues::k2Bit, absl::MakeSpan(three)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("after the last value")));
}

}  // namespace
}  // namespace entente
