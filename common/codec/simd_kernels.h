// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_SIMD_KERNELS_H_
#define COMMON_CODEC_SIMD_KERNELS_H_

// The loops over every number of an update or of a model, for the widest vectors that the machine
// has (Highway, chosen when the program runs). The bits are the same on every machine: nothing is
// reordered or fused, and rounding is done on integers as half_float.h does it.
//
// Bytes are little-endian and may lie at any address. All are thread-safe.

#include "absl/types/span.h"

namespace entente::simd {

// `bytes` holds 2 x values.size() of them.
void DecodeBf16(const char* bytes, absl::Span<float> values);
void DecodeFp16(const char* bytes, absl::Span<float> values);
void EncodeBf16(absl::Span<const float> values, char* bytes);
void EncodeFp16(absl::Span<const float> values, char* bytes);

// Signed integers of 8 bits, or of 4 with the first in a byte's low half, times `scale` (finite).
// False if one of them is -128, or -8; the values then mean nothing. With a scale of 0 every value
// is +0 or -0. `values` of DecodeInt4 are 256 at most.
bool DecodeInt8(const char* codes, float scale, absl::Span<float> values);
bool DecodeInt4(const char* codes, float scale, absl::Span<float> values);

// Whether no value is a NaN or beyond [-bound, bound].
bool AllWithin(absl::Span<const float> values, float bound);

// Each value as the nearest float, ties to even; as many of both. False if one is a NaN or beyond
// the largest float, even where it would round to that; `floats` then means nothing.
bool RoundToFloats(absl::Span<const double> values, absl::Span<float> floats);

// The sum of the squares of finite values, in double: every square is exact, value i is added to
// partial sum i mod 16, and those are added pairwise. It can neither overflow nor vanish: a float's
// square is 0 or between 2^-298 and 2^256.
double SumOfSquares(absl::Span<const float> values);

}  // namespace entente::simd

#endif  // COMMON_CODEC_SIMD_KERNELS_H_
