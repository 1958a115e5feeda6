// SPDX-License-Identifier: Apache-2.0
#include "common/codec/half_float.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace entente {
namespace {

constexpr float kHalfInfinity = std::numeric_limits<float>::infinity();

// The bfloat16 nearest to `value`, ties to the even one, by trying all of them.
uint16_t SlowBf16(float value) {
  uint16_t best = 0;
  double best_distance = std::numeric_limits<double>::infinity();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto candidate = static_cast<uint16_t>(bits);
    const double number = double{FromBf16(candidate)};
    if (!std::isfinite(number) || std::signbit(number) != std::signbit(value)) continue;
    const double distance = std::fabs(number - value);
    if (distance < best_distance || (distance == best_distance && candidate % 2 == 0)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

TEST(Bf16Test, RoundsToNearestEvenAsASearchOverAllNumbersDoes) {
  std::vector<float> values = {0.0F,         -0.0F,     1.0F,      1.00390625F, 1.01171875F,
                               -1.00390625F, 3.14159F,  1e-40F,    -1e30F,      255.9F,
                               0x1.fep127F,  0x1p-133F, 0x1p-134F, 0x1.8p-133F};
  uint32_t bits = 12345;
  for (int i = 0; i < 40; ++i) {
    bits = bits * 1664525U + 1013904223U;
    const auto value = std::bit_cast<float>(bits);
    if (std::fabs(value) <= 0x1.fep127F) values.push_back(value);
  }
  for (const float value : values) {
    EXPECT_EQ(ToBf16(value), SlowBf16(value)) << value;
  }
}

TEST(Bf16Test, EveryBf16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromBf16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(ToBf16(value), bits);
  }
}

TEST(Bf16Test, NanStaysNanEvenWhenItsPayloadIsCutOff) {
  EXPECT_TRUE(std::isnan(FromBf16(ToBf16(std::bit_cast<float>(0x7f800001U)))));
  EXPECT_TRUE(std::isnan(FromBf16(ToBf16(std::bit_cast<float>(0xffffffffU)))));
}

TEST(Bf16Test, InfinityStaysAndTheTieAboveTheLargestNumberOverflows) {
  EXPECT_EQ(FromBf16(ToBf16(kHalfInfinity)), kHalfInfinity);
  EXPECT_EQ(FromBf16(ToBf16(0x1.ffp127F)), kHalfInfinity);
  EXPECT_EQ(FromBf16(ToBf16(0x1.fefffep127F)), 0x1.fep127F);
}

// What the format's definition says, by arithmetic.
double DefinedFp16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

uint16_t SlowFp16(float value) {
  uint16_t best = 0;
  double best_distance = std::numeric_limits<double>::infinity();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto candidate = static_cast<uint16_t>(bits);
    if ((candidate & 0x7c00) == 0x7c00) continue;
    const double number = DefinedFp16(candidate);
    if (std::signbit(number) != std::signbit(value)) continue;
    const double distance = std::fabs(number - value);
    if (distance < best_distance || (distance == best_distance && candidate % 2 == 0)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

TEST(Fp16Test, EveryFp16IsWhatTheFormatDefines) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if ((half & 0x7c00) == 0x7c00) continue;
    EXPECT_EQ(double{FromFp16(half)}, DefinedFp16(half)) << bits;
    EXPECT_EQ(ToFp16(FromFp16(half)), half);
  }
}

TEST(Fp16Test, RoundsToNearestEvenAsASearchOverAllNumbersDoes) {
  std::vector<float> values = {
      0.0F,         -0.0F,      1.0F,     0x1.002p0F, 0x1.006p0F,   -0x1.002p0F,    0x1p-14F,
      0x1.ffep-15F, 0x1p-24F,   0x1p-25F, 0x1.8p-25F, 0x1.8p-24F,   0x1p-26F,       1e-40F,
      65'504.0F,    65'519.99F, 3.14159F, -255.9F,    0x1.ffcp-15F, 0x1.ffffffp-15F};
  uint32_t bits = 12345;
  for (int i = 0; i < 400; ++i) {
    bits = bits * 1664525U + 1013904223U;
    const auto value = std::bit_cast<float>(bits);
    if (std::fabs(value) < 65'520.0F && values.size() < 60) values.push_back(value);
  }
  for (const float value : values) EXPECT_EQ(ToFp16(value), SlowFp16(value)) << value;
}

TEST(Fp16Test, InfinityStaysAndFrom65520OnItOverflows) {
  EXPECT_EQ(FromFp16(ToFp16(kHalfInfinity)), kHalfInfinity);
  EXPECT_EQ(FromFp16(ToFp16(-kHalfInfinity)), -kHalfInfinity);
  EXPECT_EQ(FromFp16(ToFp16(65'520.0F)), kHalfInfinity);
  EXPECT_EQ(FromFp16(ToFp16(-1e30F)), -kHalfInfinity);
  EXPECT_EQ(FromFp16(ToFp16(65'519.99F)), 65'504.0F);
}

TEST(Fp16Test, NanStaysNanWithItsSign) {
  EXPECT_EQ(ToFp16(std::bit_cast<float>(0x7f800001U)), 0x7e00);
  EXPECT_EQ(ToFp16(std::bit_cast<float>(0xffffffffU)), 0xfe00);
  EXPECT_TRUE(std::isnan(FromFp16(0x7c01)));
  EXPECT_TRUE(std::signbit(FromFp16(0xfe00)));
}

}  // namespace
}  // namespace entente
