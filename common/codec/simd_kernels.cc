// SPDX-License-Identifier: Apache-2.0
// Compiled once for each kind of vectors: foreach_target.h includes this very file again and again.
#include "common/codec/simd_kernels.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "common/codec/half_float.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/codec/simd_kernels.cc"
// clang-format off: the order of these two matters.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace entente::simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;
using BitsTag = hn::RebindToUnsigned<FloatTag>;
using HalfTag = hn::Rebind<uint16_t, FloatTag>;
using CodeTag = hn::Rebind<int8_t, FloatTag>;

using Bits = hn::Vec<BitsTag>;
using Floats = hn::Vec<FloatTag>;

HWY_INLINE Bits AllOf(uint32_t bits) { return hn::Set(BitsTag(), bits); }

// Both below 2^31, as magnitudes are: signed comparison is right, and there is one on every target.
HWY_INLINE hn::Mask<BitsTag> IsAbove(Bits magnitude, uint32_t limit) {
  const IntTag di;
  return hn::RebindMask(
      BitsTag(), hn::Gt(hn::BitCast(di, magnitude), hn::Set(di, static_cast<int32_t>(limit))));
}

// What half_float.cc does, for many at once.

struct Bf16 {
  static HWY_INLINE Bits ToFloat(Bits halves);
  static HWY_INLINE Bits FromFloat(Bits bits);
  static float OneToFloat(uint16_t half) { return FromBf16(half); }
  static uint16_t OneFromFloat(float value) { return ToBf16(value); }
};

struct Fp16 {
  static HWY_INLINE Bits ToFloat(Bits halves);
  static HWY_INLINE Bits FromFloat(Bits bits);
  static float OneToFloat(uint16_t half) { return FromFp16(half); }
  static uint16_t OneFromFloat(float value) { return ToFp16(value); }
};

HWY_INLINE Bits Bf16::ToFloat(Bits halves) { return hn::ShiftLeft<16>(halves); }

HWY_INLINE Bits Fp16::ToFloat(Bits halves) {
  const FloatTag df;
  const BitsTag du;
  const Bits sign = hn::ShiftLeft<16>(hn::And(halves, AllOf(0x8000)));
  const Bits exponent = hn::And(halves, AllOf(0x7c00));
  const Bits shifted = hn::ShiftLeft<13>(hn::And(halves, AllOf(0x7fff)));
  const Bits normal = hn::Add(shifted, AllOf(112U << 23));
  const Bits special = hn::Add(shifted, AllOf(224U << 23));
  const Floats above = hn::BitCast(df, hn::Add(normal, AllOf(1U << 23)));
  const Bits small = hn::BitCast(du, hn::Sub(above, hn::Set(df, 0x1p-14F)));
  const Bits magnitude = hn::IfThenElse(hn::Eq(exponent, AllOf(0x7c00)), special,
                                        hn::IfThenElse(hn::Eq(exponent, AllOf(0)), small, normal));
  return hn::Or(magnitude, sign);
}

HWY_INLINE Bits Bf16::FromFloat(Bits bits) {
  const Bits upper = hn::ShiftRight<16>(bits);
  const Bits is_odd = hn::And(upper, AllOf(1));
  const Bits rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, AllOf(0x7fff)), is_odd));
  const Bits quiet = hn::Or(upper, AllOf(0x0040));
  return hn::IfThenElse(IsAbove(hn::And(bits, AllOf(0x7fffffff)), 0x7f800000U), quiet, rounded);
}

HWY_INLINE Bits Fp16::FromFloat(Bits bits) {
  const FloatTag df;
  const BitsTag du;
  const Bits sign = hn::ShiftRight<16>(hn::And(bits, AllOf(0x80000000U)));
  const Bits magnitude = hn::And(bits, AllOf(0x7fffffff));
  const Bits large = hn::IfThenElse(IsAbove(magnitude, 0x7f800000U), AllOf(0x7e00), AllOf(0x7c00));
  const Floats shifted = hn::Add(hn::BitCast(df, magnitude), hn::Set(df, 0.5F));
  const Bits small = hn::Sub(hn::BitCast(du, shifted), AllOf(126U << 23));
  const Bits is_odd = hn::And(hn::ShiftRight<13>(magnitude), AllOf(1));
  const Bits rebiased = hn::Sub(hn::Add(magnitude, AllOf(0xfff)), AllOf(112U << 23));
  const Bits normal = hn::ShiftRight<13>(hn::Add(rebiased, is_odd));
  const Bits half =
      hn::IfThenElse(IsAbove(magnitude, (143U << 23) - 1), large,
                     hn::IfThenElse(IsAbove(magnitude, (113U << 23) - 1), normal, small));
  return hn::Or(half, sign);
}

// Loads and stores of Highway take any address; the pointers are only typed.
template <typename Form>
void DecodeHalves(const char* bytes, float* values, size_t count) {
  const FloatTag df;
  const size_t lanes = hn::Lanes(df);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto halves =
        hn::LoadU(HalfTag(), reinterpret_cast<const uint16_t*>(bytes + i * sizeof(uint16_t)));
    hn::StoreU(hn::BitCast(df, Form::ToFloat(hn::PromoteTo(BitsTag(), halves))), df, values + i);
  }
  for (; i < count; ++i) {
    uint16_t half = 0;
    std::memcpy(&half, bytes + i * sizeof(half), sizeof(half));
    values[i] = Form::OneToFloat(half);
  }
}

template <typename Form>
void EncodeHalves(const float* values, char* bytes, size_t count) {
  const size_t lanes = hn::Lanes(FloatTag());
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Bits bits = hn::BitCast(BitsTag(), hn::LoadU(FloatTag(), values + i));
    const auto halves = hn::DemoteTo(HalfTag(), hn::BitCast(IntTag(), Form::FromFloat(bits)));
    hn::StoreU(halves, HalfTag(), reinterpret_cast<uint16_t*>(bytes + i * sizeof(uint16_t)));
  }
  for (; i < count; ++i) {
    const uint16_t half = Form::OneFromFloat(values[i]);
    std::memcpy(bytes + i * sizeof(half), &half, sizeof(half));
  }
}

void DecodeBf16Kernel(const char* bytes, float* values, size_t count) {
  DecodeHalves<Bf16>(bytes, values, count);
}

void DecodeFp16Kernel(const char* bytes, float* values, size_t count) {
  DecodeHalves<Fp16>(bytes, values, count);
}

void EncodeBf16Kernel(const float* values, char* bytes, size_t count) {
  EncodeHalves<Bf16>(values, bytes, count);
}

void EncodeFp16Kernel(const float* values, char* bytes, size_t count) {
  EncodeHalves<Fp16>(values, bytes, count);
}

// Whether every code is over `least`.
bool DecodeCodes(const int8_t* codes, int least, float scale, float* values, size_t count) {
  const FloatTag df;
  const IntTag di;
  const size_t lanes = hn::Lanes(df);
  const auto factor = hn::Set(df, scale);
  auto lowest = hn::Zero(di);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto integers = hn::PromoteTo(di, hn::LoadU(CodeTag(), codes + i));
    lowest = hn::Min(lowest, integers);
    hn::StoreU(hn::Mul(hn::ConvertTo(df, integers), factor), df, values + i);
  }
  bool all_above = hn::AllTrue(di, hn::Gt(lowest, hn::Set(di, least)));
  for (; i < count; ++i) {
    all_above &= codes[i] > least;
    values[i] = static_cast<float>(codes[i]) * scale;
  }
  return all_above;
}

bool DecodeInt8Kernel(const char* codes, float scale, float* values, size_t count) {
  return DecodeCodes(reinterpret_cast<const int8_t*>(codes), -128, scale, values, count);
}

// Takes the nibbles apart first, into bytes.
bool DecodeInt4Kernel(const char* codes, float scale, float* values, size_t count) {
  constexpr size_t kElementsMax = 256;
  HWY_ALIGN int8_t bytes[kElementsMax];
  const hn::ScalableTag<uint8_t> du8;
  const size_t lanes = hn::Lanes(du8);
  const size_t code_bytes = (count + 1) / 2;
  const auto eight = hn::Set(du8, 8);
  const auto low_bits = hn::Set(du8, 15);
  size_t i = 0;
  for (; i + lanes <= code_bytes; i += lanes) {
    const auto pairs = hn::LoadU(du8, reinterpret_cast<const uint8_t*>(codes) + i);
    // Flipping the sign bit and taking 8 away extends the sign.
    const auto low = hn::Sub(hn::Xor(hn::And(pairs, low_bits), eight), eight);
    const auto high = hn::Sub(hn::Xor(hn::And(hn::ShiftRight<4>(pairs), low_bits), eight), eight);
    hn::StoreInterleaved2(low, high, du8, reinterpret_cast<uint8_t*>(bytes) + 2 * i);
  }
  for (; i < code_bytes; ++i) {
    const auto pair = static_cast<unsigned char>(codes[i]);
    bytes[2 * i] = static_cast<int8_t>(((pair & 15) ^ 8) - 8);
    bytes[2 * i + 1] = static_cast<int8_t>(((pair >> 4) ^ 8) - 8);
  }
  return DecodeCodes(bytes, -8, scale, values, count);
}

bool AllWithinKernel(const float* values, size_t count, float bound) {
  const FloatTag df;
  const size_t lanes = hn::Lanes(df);
  const auto limit = hn::Set(df, bound);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    // A NaN compares false with everything, so it is not within.
    if (!hn::AllTrue(df, hn::Le(hn::Abs(hn::LoadU(df, values + i)), limit))) return false;
  }
  for (; i < count; ++i) {
    if (!(std::fabs(values[i]) <= bound)) return false;
  }
  return true;
}

bool RoundToFloatsKernel(const double* values, float* floats, size_t count) {
  constexpr double kMax = std::numeric_limits<float>::max();
  const hn::ScalableTag<double> dd;
  const hn::Rebind<float, decltype(dd)> df;
  const size_t lanes = hn::Lanes(dd);
  const auto limit = hn::Set(dd, kMax);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto exact = hn::LoadU(dd, values + i);
    if (!hn::AllTrue(dd, hn::Le(hn::Abs(exact), limit))) return false;  // As above, of a NaN, too.
    hn::StoreU(hn::DemoteTo(df, exact), df, floats + i);
  }
  for (; i < count; ++i) {
    if (!(std::fabs(values[i]) <= kMax)) return false;
    floats[i] = static_cast<float>(values[i]);
  }
  return true;
}

double SumOfSquaresKernel(const float* values, size_t count) {
  // So many whatever the width of the vectors: the order of the additions is the same everywhere.
  constexpr size_t kPartialSums = 16;
  const hn::CappedTag<double, kPartialSums> dd;
  const hn::Rebind<float, decltype(dd)> df;
  const size_t lanes = hn::Lanes(dd);
  HWY_ALIGN double sums[kPartialSums] = {};
  size_t i = 0;
  for (; i + kPartialSums <= count; i += kPartialSums) {
    for (size_t j = 0; j < kPartialSums; j += lanes) {
      const auto wide = hn::PromoteTo(dd, hn::LoadU(df, values + i + j));
      hn::Store(hn::Add(hn::Load(dd, sums + j), hn::Mul(wide, wide)), dd, sums + j);
    }
  }
  for (; i < count; ++i) sums[i % kPartialSums] += double{values[i]} * double{values[i]};
  for (size_t half = kPartialSums / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

}  // namespace HWY_NAMESPACE
}  // namespace entente::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/base/check.h"

namespace entente::simd {

HWY_EXPORT(DecodeBf16Kernel);
HWY_EXPORT(DecodeFp16Kernel);
HWY_EXPORT(EncodeBf16Kernel);
HWY_EXPORT(EncodeFp16Kernel);
HWY_EXPORT(DecodeInt8Kernel);
HWY_EXPORT(DecodeInt4Kernel);
HWY_EXPORT(AllWithinKernel);
HWY_EXPORT(RoundToFloatsKernel);
HWY_EXPORT(SumOfSquaresKernel);

void DecodeBf16(const char* bytes, absl::Span<float> values) {
  HWY_DYNAMIC_DISPATCH(DecodeBf16Kernel)(bytes, values.data(), values.size());
}

void DecodeFp16(const char* bytes, absl::Span<float> values) {
  HWY_DYNAMIC_DISPATCH(DecodeFp16Kernel)(bytes, values.data(), values.size());
}

void EncodeBf16(absl::Span<const float> values, char* bytes) {
  HWY_DYNAMIC_DISPATCH(EncodeBf16Kernel)(values.data(), bytes, values.size());
}

void EncodeFp16(absl::Span<const float> values, char* bytes) {
  HWY_DYNAMIC_DISPATCH(EncodeFp16Kernel)(values.data(), bytes, values.size());
}

bool DecodeInt8(const char* codes, float scale, absl::Span<float> values) {
  return HWY_DYNAMIC_DISPATCH(DecodeInt8Kernel)(codes, scale, values.data(), values.size());
}

bool DecodeInt4(const char* codes, float scale, absl::Span<float> values) {
  ENTENTE_CHECK(values.size() <= 256);
  return HWY_DYNAMIC_DISPATCH(DecodeInt4Kernel)(codes, scale, values.data(), values.size());
}

bool AllWithin(absl::Span<const float> values, float bound) {
  return HWY_DYNAMIC_DISPATCH(AllWithinKernel)(values.data(), values.size(), bound);
}

bool RoundToFloats(absl::Span<const double> values, absl::Span<float> floats) {
  ENTENTE_CHECK(values.size() == floats.size());
  return HWY_DYNAMIC_DISPATCH(RoundToFloatsKernel)(values.data(), floats.data(), values.size());
}

double SumOfSquares(absl::Span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquaresKernel)(values.data(), values.size());
}

}  // namespace entente::simd

#endif  // HWY_ONCE
