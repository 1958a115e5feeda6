// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_BLOCK_CODES_H_
#define COMMON_CODEC_BLOCK_CODES_H_

// int8 and int4: blocks of 256 numbers (the last one of a tensor may have fewer), each a scale and
// then a small integer for each number; a number is integer x scale.
//
//   int8   scale (F32), m signed bytes of -127 to 127
//   int4   scale (F32), ceil(m / 2) bytes of two nibbles of -7 to 7 in two's complement, the first
//          number in the low one; an odd block ends with a nibble of zeros
//
// The integer is rounded up or down at random, so that it is right on average: what many workers
// send, or one in many rounds, does not drift.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace entente {

inline constexpr size_t kCodeBlockElements = 256;
inline constexpr size_t kScaleBytes = 4;

constexpr size_t Int8BlockBytes(size_t elements) { return kScaleBytes + elements; }
constexpr size_t Int4BlockBytes(size_t elements) { return kScaleBytes + (elements + 1) / 2; }

// A scale with which `levels` steps reach the largest magnitude of the (finite) values and never
// go beyond it; 0 if that would be under the smallest normal number.
float ScaleFor(absl::Span<const float> values, int levels);

// OK if `scale` is 0 or a positive normal number; else INVALID_ARGUMENT.
absl::Status CheckScale(float scale);

float ReadScale(const char* bytes);
void AppendScale(float scale, std::string* bytes);

// Append a block of 1 to 256 finite values. The chance in the rounding depends on `seed` and on
// `first`, the place of values[0] in its tensor, alone.
void AppendInt8Block(absl::Span<const float> values, uint64_t seed, uint64_t first,
                     std::string* bytes);
void AppendInt4Block(absl::Span<const float> values, uint64_t seed, uint64_t first,
                     std::string* bytes);

// Read a block of values.size() numbers, 1 to 256, from exactly that many bytes. INVALID_ARGUMENT
// for a scale that is none, an integer of -128 or -8, or padding that is not zero.
absl::Status DecodeInt8Block(absl::Span<const char> bytes, absl::Span<float> values);
absl::Status DecodeInt4Block(absl::Span<const char> bytes, absl::Span<float> values);

}  // namespace entente

#endif  // COMMON_CODEC_BLOCK_CODES_H_
