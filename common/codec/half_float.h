// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_HALF_FLOAT_H_
#define COMMON_CODEC_HALF_FLOAT_H_

// The two 16-bit floating-point forms, bit for bit equal on every machine. To nearest, ties to
// even; what is too large becomes infinity; a NaN stays one, quiet and of its sign.

#include <cstdint>

namespace entente {

// bfloat16: the upper half of a binary32.
uint16_t ToBf16(float value);
float FromBf16(uint16_t bits);

// IEEE 754 binary16.
uint16_t ToFp16(float value);
float FromFp16(uint16_t bits);

}  // namespace entente

#endif  // COMMON_CODEC_HALF_FLOAT_H_
