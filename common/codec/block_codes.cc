// SPDX-License-Identifier: Apache-2.0
#include "common/codec/block_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/codec/simd_kernels.h"

namespace entente {
namespace {

constexpr int kInt8Levels = 127;
constexpr int kInt4Levels = 7;

// floor(value / scale + u) with u from [0, 1): up with the probability of the fraction.
int RoundAtRandom(float value, float scale, int levels, uint64_t random) {
  const double chance = static_cast<double>(static_cast<int64_t>(random >> 11)) * 0x1p-53;
  const double steps = double{value} / double{scale} + chance;
  // std::floor would be a call for each number, where the processor need not have SSE4.1.
  const int towards_zero = static_cast<int>(steps);
  const int rounded = towards_zero - (static_cast<double>(towards_zero) > steps ? 1 : 0);
  // The scale was rounded down, so the largest may be a little more than `levels` steps.
  return std::clamp(rounded, -levels, levels);
}

// Appends the scale and `size` zeros, and returns where these are.
char* AppendScaleAndZeros(float scale, size_t size, std::string* bytes) {
  AppendScale(scale, bytes);
  bytes->resize(bytes->size() + size);
  return bytes->data() + (bytes->size() - size);
}

void CheckBlock(size_t elements, size_t bytes, size_t bytes_expected) {
  ENTENTE_CHECK(elements >= 1 && elements <= kCodeBlockElements && bytes == bytes_expected);
}

}  // namespace

float ScaleFor(absl::Span<const float> values, int levels) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  auto scale = static_cast<float>(double{largest} / levels);
  // Rounded up it would decode to more than there was, perhaps to more than is accepted.
  if (double{scale} * levels > double{largest}) scale = std::nextafter(scale, 0.0F);
  return scale < std::numeric_limits<float>::min() ? 0 : scale;
}

absl::Status CheckScale(float scale) {
  const bool is_positive = !std::signbit(scale);
  if (is_positive && (scale == 0 || std::isnormal(scale))) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the scale is ", scale, "; it must be 0 or a positive normal number"));
}

float ReadScale(const char* bytes) {
  float scale = 0;
  std::memcpy(&scale, bytes, kScaleBytes);
  return scale;
}

void AppendScale(float scale, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&scale), kScaleBytes);
}

void AppendInt8Block(absl::Span<const float> values, uint64_t seed, uint64_t first,
                     std::string* bytes) {
  const float scale = ScaleFor(values, kInt8Levels);
  char* const integers =
      AppendScaleAndZeros(scale, Int8BlockBytes(values.size()) - kScaleBytes, bytes);
  if (scale == 0) return;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t random = SplitMix64At(seed, first + i);
    integers[i] = static_cast<char>(RoundAtRandom(values[i], scale, kInt8Levels, random));
  }
}

void AppendInt4Block(absl::Span<const float> values, uint64_t seed, uint64_t first,
                     std::string* bytes) {
  const float scale = ScaleFor(values, kInt4Levels);
  char* const integers =
      AppendScaleAndZeros(scale, Int4BlockBytes(values.size()) - kScaleBytes, bytes);
  if (scale == 0) return;
  const auto nibble = [&](size_t i) {
    if (i == values.size()) return 0U;
    const uint64_t random = SplitMix64At(seed, first + i);
    return static_cast<unsigned>(RoundAtRandom(values[i], scale, kInt4Levels, random)) & 0xfU;
  };
  for (size_t i = 0; i < values.size(); i += 2) {
    integers[i / 2] = static_cast<char>(nibble(i) | (nibble(i + 1) << 4));
  }
}

absl::Status DecodeInt8Block(absl::Span<const char> bytes, absl::Span<float> values) {
  CheckBlock(values.size(), bytes.size(), Int8BlockBytes(values.size()));
  const float scale = ReadScale(bytes.data());
  ENTENTE_RETURN_IF_ERROR(CheckScale(scale));
  if (!simd::DecodeInt8(bytes.data() + kScaleBytes, scale, values)) {
    return absl::InvalidArgumentError("an integer is -128; they are -127 to 127");
  }
  return absl::OkStatus();
}

absl::Status DecodeInt4Block(absl::Span<const char> bytes, absl::Span<float> values) {
  CheckBlock(values.size(), bytes.size(), Int4BlockBytes(values.size()));
  const float scale = ReadScale(bytes.data());
  ENTENTE_RETURN_IF_ERROR(CheckScale(scale));
  if (values.size() % 2 == 1 && (static_cast<unsigned char>(bytes.back()) >> 4) != 0) {
    return absl::InvalidArgumentError("the bits after the last number are not zero");
  }
  if (!simd::DecodeInt4(bytes.data() + kScaleBytes, scale, values)) {
    return absl::InvalidArgumentError("an integer is -8; they are -7 to 7");
  }
  return absl::OkStatus();
}

}  // namespace entente
