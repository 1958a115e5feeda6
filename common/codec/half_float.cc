// SPDX-License-Identifier: Apache-2.0
#include "common/codec/half_float.h"

#include <bit>

namespace entente {
namespace {

constexpr uint32_t kSign = 0x80000000U;
constexpr uint32_t kInfinityBits = 0x7f800000U;

}  // namespace

uint16_t ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (value != value) return static_cast<uint16_t>((bits >> 16) | 0x0040U);  // Quiet, sign kept.
  // Half a step up, less one unit if the kept part is even: truncation then rounds ties to even. A
  // carry out of the fraction raises the exponent, which is just what it should do.
  const uint32_t is_odd = (bits >> 16) & 1U;
  return static_cast<uint16_t>((bits + 0x7fffU + is_odd) >> 16);
}

float FromBf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t ToFp16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits & kSign) >> 16);
  const uint32_t magnitude = bits & ~kSign;
  if (magnitude > kInfinityBits) return sign | 0x7e00U;
  if (magnitude >= (143U << 23)) return sign | 0x7c00U;  // From 65,536 on.
  if (magnitude < (113U << 23)) {
    // Below 2^-14 there are only multiples of 2^-24, and those are the steps of the numbers from
    // 0.5 on: the addition rounds to them.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - (126U << 23)));
  }
  // As in ToBf16, and the exponent's bias goes from 127 to 15. A carry may end in infinity.
  const uint32_t is_odd = (magnitude >> 13) & 1U;
  return static_cast<uint16_t>(sign | ((magnitude - (112U << 23) + 0xfffU + is_odd) >> 13));
}

float FromFp16(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000U) << 16;
  const uint32_t exponent = bits & 0x7c00U;
  const uint32_t shifted = static_cast<uint32_t>(bits & 0x7fffU) << 13;
  uint32_t magnitude = shifted + (112U << 23);  // The exponent's bias goes from 15 to 127.
  if (exponent == 0x7c00U) {
    magnitude = shifted + (224U << 23);  // Infinity or NaN: all ones here, too.
  } else if (exponent == 0) {
    // A multiple of 2^-24: read as 2^-14 plus it, from which 2^-14 is taken. That is exact.
    const float above = std::bit_cast<float>(magnitude + (1U << 23));
    magnitude = std::bit_cast<uint32_t>(above - 0x1p-14F);
  }
  return std::bit_cast<float>(sign | magnitude);
}

}  // namespace entente
