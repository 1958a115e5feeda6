// SPDX-License-Identifier: Apache-2.0
// Every kernel on every kind of vectors that this machine has, against the plain loop.
#include "common/codec/simd_kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "common/base/random_source.h"
#include "common/codec/half_float.h"
#include "tests/support/bytes_of.h"
#include "tests/support/simd_targets.h"

namespace entente::simd {
namespace {

// Odd ones, and ones around the length of a vector.
constexpr size_t kSizes[] = {0,  1,  2,  3,  4,  5,  7,  8,   9,   15,  16,  17,
                             31, 32, 33, 63, 64, 65, 99, 127, 128, 129, 255, 256};

// Floats of every kind: NaNs of both signs, infinities, denormals, ties, and anything else.
std::vector<float> AllKindsOfFloats() {
  std::vector<float> values = {
      0.0F,       -0.0F,      1.0F,        -1.0F,        65'504.0F,    65'519.996F,
      65'520.0F,  65'536.0F,  0x1p-14F,    0x1.ffcp-15F, 0x1.ffep-15F, 0x1p-24F,
      0x1p-25F,   0x1.8p-25F, 1e-40F,      -1e-45F,      0x1.fep127F,  0x1.ffp127F,
      0x1.002p0F, 0x1.006p0F, 1.00390625F, 1.01171875F,  3.4e38F,      0x1.fffffep-127F};
  for (const uint32_t bits : {0x7f800000U, 0xff800000U, 0x7fc00000U, 0x7f800001U, 0xffffffffU,
                              0xff800001U, 0x7fffffffU, 0x00000001U, 0x807fffffU}) {
    values.push_back(std::bit_cast<float>(bits));
  }
  for (uint64_t i = 0; i < 20'000; ++i) {
    const uint64_t random = SplitMix64At(1, i);
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(random)));
    // And with an exponent that binary16 has.
    values.push_back(
        std::bit_cast<float>(static_cast<uint32_t>(random >> 32) % 0x12000000U + 0x33000000U));
  }
  return values;
}

std::string BitsOf(const std::vector<float>& values) { return BytesOf(values); }

TEST(SimdKernelsTest, EveryHalfIsDecodedAsTheScalarDoes) {
  std::string bytes = "x";  // So that they lie at odd addresses.
  std::vector<float> bf16;
  std::vector<float> fp16;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    bytes.push_back(static_cast<char>(bits & 0xff));
    bytes.push_back(static_cast<char>(bits >> 8));
    bf16.push_back(FromBf16(static_cast<uint16_t>(bits)));
    fp16.push_back(FromFp16(static_cast<uint16_t>(bits)));
  }
  ForEveryTarget([&] {
    std::vector<float> values(bf16.size());
    DecodeBf16(bytes.data() + 1, absl::MakeSpan(values));
    EXPECT_TRUE(BitsOf(values) == BitsOf(bf16));
    DecodeFp16(bytes.data() + 1, absl::MakeSpan(values));
    EXPECT_TRUE(BitsOf(values) == BitsOf(fp16));
  });
}

TEST(SimdKernelsTest, EveryKindOfFloatIsEncodedAsTheScalarDoes) {
  const std::vector<float> values = AllKindsOfFloats();
  std::vector<uint16_t> bf16;
  std::vector<uint16_t> fp16;
  for (const float value : values) {
    bf16.push_back(ToBf16(value));
    fp16.push_back(ToFp16(value));
  }
  ForEveryTarget([&] {
    std::string bytes(1 + 2 * values.size(), 'x');
    EncodeBf16(values, bytes.data() + 1);
    EXPECT_TRUE(bytes == "x" + BytesOf(bf16));
    EncodeFp16(values, bytes.data() + 1);
    EXPECT_TRUE(bytes == "x" + BytesOf(fp16));
  });
}

TEST(SimdKernelsTest, EveryLengthIsDoneToItsEndAndNotBeyond) {
  const std::vector<float> values = AllKindsOfFloats();
  ForEveryTarget([&] {
    for (const size_t size : kSizes) {
      std::string bytes(2 * size + 2, 'x');
      EncodeFp16(absl::MakeConstSpan(values).first(size), bytes.data());
      EXPECT_EQ(bytes.substr(2 * size), "xx");
      std::vector<float> decoded(size + 1, 7.0F);
      DecodeFp16(bytes.data(), absl::MakeSpan(decoded).first(size));
      EXPECT_EQ(decoded[size], 7.0F);
      for (size_t i = 0; i < size; ++i) {
        EXPECT_EQ(std::bit_cast<uint32_t>(decoded[i]),
                  std::bit_cast<uint32_t>(FromFp16(ToFp16(values[i]))));
      }
    }
  });
}

TEST(SimdKernelsTest, IntegersAreMultipliedAsTheScalarDoes) {
  std::string codes;
  for (uint64_t i = 0; i < 256; ++i)
    codes.push_back(static_cast<char>(SplitMix64At(2, i) % 255 - 127));
  ForEveryTarget([&] {
    for (const float scale : {0.0F, 0x1p-126F, 0.1F, 3e36F}) {
      for (const size_t size : kSizes) {
        std::vector<float> expected(size);
        for (size_t i = 0; i < size; ++i) {
          expected[i] = static_cast<float>(static_cast<int8_t>(codes[i])) * scale;
        }
        std::vector<float> values(size);
        EXPECT_TRUE(DecodeInt8(codes.data(), scale, absl::MakeSpan(values)));
        EXPECT_TRUE(BitsOf(values) == BitsOf(expected)) << size;
      }
    }
  });
}

TEST(SimdKernelsTest, NibblesAreMultipliedAsTheScalarDoes) {
  std::vector<int> integers;
  for (uint64_t i = 0; i < 256; ++i) {
    integers.push_back(static_cast<int>(SplitMix64At(3, i) % 15) - 7);
  }
  ForEveryTarget([&] {
    for (const size_t size : kSizes) {
      std::string codes((size + 1) / 2, '\0');
      std::vector<float> expected(size);
      for (size_t i = 0; i < size; ++i) {
        const unsigned nibble = static_cast<unsigned>(integers[i]) & 15U;
        codes[i / 2] =
            static_cast<char>(static_cast<unsigned char>(codes[i / 2]) | (nibble << (i % 2 * 4)));
        expected[i] = static_cast<float>(integers[i]) * 0.3F;
      }
      std::vector<float> values(size);
      EXPECT_TRUE(DecodeInt4(codes.data(), 0.3F, absl::MakeSpan(values)));
      EXPECT_TRUE(BitsOf(values) == BitsOf(expected)) << size;
    }
  });
}

TEST(SimdKernelsTest, IntegerThatIsNoneIsFoundWhereverItLies) {
  ForEveryTarget([&] {
    std::vector<float> values(99);
    for (size_t bad = 0; bad < values.size(); ++bad) {
      std::string bytes(99, '\x7f');
      bytes[bad] = '\x80';
      EXPECT_FALSE(DecodeInt8(bytes.data(), 1, absl::MakeSpan(values))) << bad;
      std::string nibbles(50, '\x77');
      nibbles[bad / 2] = bad % 2 == 0 ? '\x78' : '\x87';
      EXPECT_FALSE(DecodeInt4(nibbles.data(), 1, absl::MakeSpan(values))) << bad;
    }
  });
}

TEST(SimdKernelsTest, OneValueThatIsNotWithinIsFoundWhereverItLies) {
  const float infinity = std::numeric_limits<float>::infinity();
  ForEveryTarget([&] {
    for (const float wrong : {std::nanf(""), -std::nanf(""), infinity, -infinity, 1.5F, -1.5F}) {
      for (size_t bad = 0; bad < 99; ++bad) {
        std::vector<float> values(99, -1.0F);
        EXPECT_TRUE(AllWithin(values, 1));
        values[bad] = wrong;
        EXPECT_FALSE(AllWithin(values, 1)) << bad;
      }
    }
    EXPECT_TRUE(AllWithin({}, 1));
    EXPECT_TRUE(AllWithin({1e-45F, -0.0F, 3.4e38F}, std::numeric_limits<float>::max()));
  });
}

TEST(SimdKernelsTest, EveryFiniteDoubleRoundsToTheNearestFloat) {
  // Ties to either side, what is lost to denormals and to 0, and the largest float.
  std::vector<double> exact = {
      0.0,      -0.0,       0x1.000001p0,     0x1.000003p0, -0x1.000001p0, 0x1p-149,
      0x1p-150, 0x1.8p-149, 0x1.fffffffp-127, -1e-300,      0x1p-1074,     0x1.fffffep127};
  for (uint64_t i = 0; i < 10'000; ++i) {
    const uint64_t random = SplitMix64At(5, i);
    exact.push_back(std::ldexp(static_cast<double>(static_cast<int64_t>(random)),
                               static_cast<int>(random % 300) - 236));
  }
  std::vector<float> expected;
  for (const double value : exact) expected.push_back(static_cast<float>(value));
  ForEveryTarget([&] {
    std::vector<float> floats(exact.size());
    ASSERT_TRUE(RoundToFloats(exact, absl::MakeSpan(floats)));
    EXPECT_EQ(BitsOf(floats), BitsOf(expected));
    for (const size_t size : kSizes) {
      std::vector<float> few(size + 1, 7.0F);
      ASSERT_TRUE(
          RoundToFloats(absl::MakeConstSpan(exact).first(size), absl::MakeSpan(few).first(size)));
      EXPECT_EQ(few.back(), 7.0F) << "beyond " << size;
    }
  });
}

TEST(SimdKernelsTest, OneDoubleThatIsNoFiniteFloatIsFoundWhereverItLies) {
  const double infinity = std::numeric_limits<double>::infinity();
  ForEveryTarget([&] {
    // The third would round to the largest float.
    for (const double wrong :
         {std::nan(""), infinity, 0x1.fffffe0000001p127, -0x1p128, -infinity}) {
      for (size_t bad = 0; bad < 99; ++bad) {
        std::vector<double> exact(99, -1.0);
        std::vector<float> floats(99);
        EXPECT_TRUE(RoundToFloats(exact, absl::MakeSpan(floats)));
        exact[bad] = wrong;
        EXPECT_FALSE(RoundToFloats(exact, absl::MakeSpan(floats))) << bad;
      }
    }
  });
}

// As the header has it: value i to partial sum i mod 16, and those pairwise.
double PlainSumOfSquares(absl::Span<const float> values) {
  double sums[16] = {};
  for (size_t i = 0; i < values.size(); ++i) sums[i % 16] += double{values[i]} * double{values[i]};
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

TEST(SimdKernelsTest, SquaresAreAddedInOneOrderOnEveryMachine) {
  std::vector<float> values = {0.1F};  // So that they lie at odd addresses.
  for (uint64_t i = 0; i < 10'000; ++i) {
    values.push_back(static_cast<float>(SplitMix64At(4, i) % 200'001) / 1e5F - 1.0F);
  }
  const auto odd = absl::MakeConstSpan(values).subspan(1);
  ForEveryTarget([&] {
    EXPECT_EQ(SumOfSquares(odd), PlainSumOfSquares(odd));
    for (const size_t size : kSizes) {
      EXPECT_EQ(SumOfSquares(odd.first(size)), PlainSumOfSquares(odd.first(size))) << size;
    }
  });
}

// A little of everything, against the plain loop.
void ExpectPlainResults() {
  const std::vector<float> values = AllKindsOfFloats();
  std::vector<uint16_t> halves;
  std::vector<float> rounded;
  for (const float value : values) {
    halves.push_back(ToFp16(value));
    rounded.push_back(FromFp16(halves.back()));
  }
  std::string bytes(2 * values.size(), 'x');
  EncodeFp16(values, bytes.data());
  EXPECT_TRUE(bytes == BytesOf(halves));
  std::vector<float> decoded(values.size());
  DecodeFp16(bytes.data(), absl::MakeSpan(decoded));
  EXPECT_TRUE(BitsOf(decoded) == BitsOf(rounded));
  EXPECT_FALSE(AllWithin(values, 1));

  std::string codes;
  std::vector<float> products;
  std::vector<double> exact;
  for (int code = -127; code <= 127; ++code) {
    codes.push_back(static_cast<char>(code));
    products.push_back(static_cast<float>(code) * 0.1F);
    exact.push_back(code / 3.0);
  }
  std::vector<float> floats(codes.size());
  EXPECT_TRUE(DecodeInt8(codes.data(), 0.1F, absl::MakeSpan(floats)));
  EXPECT_TRUE(BitsOf(floats) == BitsOf(products));
  EXPECT_EQ(SumOfSquares(floats), PlainSumOfSquares(floats));
  ASSERT_TRUE(RoundToFloats(exact, absl::MakeSpan(floats)));
  for (size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(floats[i], static_cast<float>(exact[i]));
}

// The tests above say nothing of the vectors that a machine lacks. These say which it lacks.

TEST(SimdTargetsTest, BaselineGivesThePlainResults) {
  ASSERT_TRUE(OnTarget(HWY_STATIC_TARGET, ExpectPlainResults));
}

// Skipped where the processor lacks it, which nothing can make up for. Kernels that are not made
// for what it has are a fault.
void ExpectPlainResultsIfThereIs(int64_t target) {
  if ((hwy::SupportedTargets() & target) == 0) {
    GTEST_SKIP() << "this machine has no " << hwy::TargetName(target);
  }
  EXPECT_TRUE(OnTarget(target, ExpectPlainResults)) << "no kernels for " << hwy::TargetName(target);
}

TEST(SimdTargetsTest, Avx2GivesThePlainResults) { ExpectPlainResultsIfThereIs(HWY_AVX2); }

TEST(SimdTargetsTest, Avx512GivesThePlainResults) { ExpectPlainResultsIfThereIs(HWY_AVX3); }

TEST(SimdKernelsTest, SumOfSquaresNeitherOverflowsNorVanishes) {
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  ForEveryTarget([&] {
    EXPECT_EQ(SumOfSquares({}), 0);
    EXPECT_EQ(SumOfSquares({3.0F, -4.0F, 0.0F, -0.0F}), 25);
    EXPECT_EQ(SumOfSquares(std::vector<float>(512, largest)),
              512 * (double{largest} * double{largest}));
    EXPECT_EQ(SumOfSquares({smallest}), 0x1p-298);
  });
}

}  // namespace
}  // namespace entente::simd
