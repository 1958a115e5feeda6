// SPDX-License-Identifier: Apache-2.0
#include "common/codec/block_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/base/random_source.h"
#include "tests/support/bytes_of.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kBlockSeed = 42;

std::string Int8Block(const std::vector<float>& values, uint64_t first = 0) {
  std::string bytes;
  AppendInt8Block(values, kBlockSeed, first, &bytes);
  return bytes;
}

std::string Int4Block(const std::vector<float>& values, uint64_t first = 0) {
  std::string bytes;
  AppendInt4Block(values, kBlockSeed, first, &bytes);
  return bytes;
}

TEST(ScaleForTest, NeverReachesBeyondTheLargest) {
  for (const float largest : {1.0F, 0.1F, 255.9F, 3.4e38F, 1e-30F, 0x1.fffffep-3F}) {
    for (const int levels : {1, 7, 127}) {
      const float scale = ScaleFor({0.0F, -largest, largest / 2}, levels);
      EXPECT_LE(scale * static_cast<float>(levels), largest);
      EXPECT_GT(std::nextafter(scale, std::numeric_limits<float>::infinity()) *
                    static_cast<double>(levels),
                double{largest});
    }
  }
}

TEST(ScaleForTest, IsZeroWhereNoNormalNumberWouldDo) {
  EXPECT_EQ(ScaleFor({0, -0.0F}, 127), 0);
  EXPECT_EQ(ScaleFor({0x1p-120F}, 127), 0);
  EXPECT_GT(ScaleFor({0x1p-119F}, 127), 0);
}

TEST(CheckScaleTest, OnlyZeroAndPositiveNormalNumbersPass) {
  for (const float good : {0.0F, 0x1p-126F, 1.0F, 3.4e38F}) EXPECT_THAT(CheckScale(good), IsOk());
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {-0.0F, -1.0F, 0x1p-127F, 1e-45F, infinity, -infinity, std::nanf("")}) {
    EXPECT_THAT(CheckScale(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(Int8BlockTest, WholeStepsAreExact) {
  const std::string bytes = Int8Block({127, -127, 0, 1, -64});
  EXPECT_EQ(bytes, BytesOf({1.0F}) + std::string("\x7f\x81\x00\x01\xc0", 5));
  std::vector<float> values(5);
  ASSERT_THAT(DecodeInt8Block(bytes, absl::MakeSpan(values)), IsOk());
  EXPECT_THAT(values, ElementsAre(127, -127, 0, 1, -64));
}

TEST(Int4BlockTest, FirstNumberIsInTheLowNibble) {
  const std::string bytes = Int4Block({7, -7, 1, -1, 3});
  EXPECT_EQ(bytes, BytesOf({1.0F}) + std::string("\x97\xf1\x03", 3));
  std::vector<float> values(5);
  ASSERT_THAT(DecodeInt4Block(bytes, absl::MakeSpan(values)), IsOk());
  EXPECT_THAT(values, ElementsAre(7, -7, 1, -1, 3));
}

TEST(BlockCodesTest, ErrorIsLessThanAStepAndNoneGoesBeyondTheLargest) {
  std::vector<float> values(kCodeBlockElements);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 0.037F;
  std::vector<float> decoded(values.size());
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));

  ASSERT_THAT(DecodeInt8Block(Int8Block(values), absl::MakeSpan(decoded)), IsOk());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_LT(std::fabs(decoded[i] - values[i]), largest / 126);
    EXPECT_LE(std::fabs(decoded[i]), largest);
  }
  ASSERT_THAT(DecodeInt4Block(Int4Block(values), absl::MakeSpan(decoded)), IsOk());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_LT(std::fabs(decoded[i] - values[i]), largest / 6.9F);
    EXPECT_LE(std::fabs(decoded[i]), largest);
  }
}

TEST(BlockCodesTest, RoundingIsRightOnAverage) {
  // 0.3 of a step beside a number that makes the step 1: rounded up three times of ten.
  std::vector<float> values(kCodeBlockElements, 0.3F);
  values[0] = 7;
  double sum = 0;
  constexpr int kBlocks = 400;
  for (uint64_t block = 0; block < kBlocks; ++block) {
    std::vector<float> decoded(values.size());
    ASSERT_THAT(
        DecodeInt4Block(Int4Block(values, block * kCodeBlockElements), absl::MakeSpan(decoded)),
        IsOk());
    for (size_t i = 1; i < decoded.size(); ++i) sum += decoded[i];
  }
  // The standard deviation of this mean is 0.0014.
  EXPECT_NEAR(sum / (kBlocks * 255), 0.3, 0.007);
}

TEST(BlockCodesTest, IntegersAreWhatFloorMakesOfStepsAndChance) {
  std::vector<float> values(kCodeBlockElements);
  for (size_t i = 0; i < values.size(); ++i) {
    // Both signs, whole steps and fractions.
    values[i] = (static_cast<float>(SplitMix64At(9, i) % 509) - 254) / 4;
  }
  values[0] = 63.5F;
  const std::string bytes = Int8Block(values, /*first=*/512);
  const float scale = ReadScale(bytes.data());
  ASSERT_EQ(scale, 0.5F);

  for (size_t i = 0; i < values.size(); ++i) {
    const double chance = static_cast<double>(SplitMix64At(kBlockSeed, 512 + i) >> 11) * 0x1p-53;
    EXPECT_EQ(static_cast<int>(static_cast<signed char>(bytes[kScaleBytes + i])),
              std::clamp(std::floor(double{values[i]} / double{scale} + chance), -127.0, 127.0))
        << values[i];
  }
}

TEST(BlockCodesTest, NothingButZerosHasScaleZero) {
  EXPECT_EQ(Int8Block({0, -0.0F}), std::string(6, '\0'));
  EXPECT_EQ(Int4Block({0, -0.0F, 1e-45F}), std::string(6, '\0'));
  std::vector<float> values(2, 1.0F);
  ASSERT_THAT(DecodeInt8Block(std::string(6, '\0'), absl::MakeSpan(values)), IsOk());
  EXPECT_THAT(values, ElementsAre(0, 0));
}

TEST(BlockCodesTest, BytesThatAreNoneAreRefused) {
  std::vector<float> values(3);
  const auto out = absl::MakeSpan(values);
  const std::string nan = BytesOf({std::nanf("")});
  const std::string one = BytesOf({1.0F});
  const auto refused = [](const std::string& why) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why));
  };
  EXPECT_THAT(DecodeInt8Block(nan + "abc", out), refused("the scale is nan"));
  EXPECT_THAT(DecodeInt4Block(nan + "ab", out), refused("the scale is nan"));
  EXPECT_THAT(DecodeInt8Block(one + "a\x80z", out), refused("an integer is -128"));
  EXPECT_THAT(DecodeInt4Block(one + "\x81\x01", out), refused("an integer is -8"));
  EXPECT_THAT(DecodeInt4Block(one + "\x11\x11", out), refused("bits after the last number"));
}

}  // namespace
}  // namespace entente
