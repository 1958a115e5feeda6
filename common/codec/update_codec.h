// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_UPDATE_CODEC_H_
#define COMMON_CODEC_UPDATE_CODEC_H_

// How an update's numbers are written on the wire and in the spool. Every encoding is a canonical
// safetensors file whose tensors are the model's floating-point ones:
//   fp32  F32, 4 bytes a number: what the trainer wrote.
//   bf16  BF16, 2 bytes a number, rounded to nearest even.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/file_system.h"
#include "common/tensor/dtype.h"

namespace entente {

enum class UpdateEncoding { kFp32, kBf16 };

// The tensors' type in a file of this encoding.
Dtype EncodedDtype(UpdateEncoding encoding);

// Writes the update at `source` (fp32, from the trainer; hostile until checked) as `encoding` to
// `target`. INVALID_ARGUMENT if the source is not a safetensors file of F32 tensors, or holds a NaN
// or an infinity.
absl::Status EncodeUpdate(FileSystem& files, const std::string& source, UpdateEncoding encoding,
                          const std::string& target);

// Little-endian bytes of `encoding` to floats; `bytes` holds exactly values.size() of them.
void DecodeValues(UpdateEncoding encoding, absl::Span<const char> bytes, absl::Span<float> values);

// bfloat16 of `value`, to nearest, ties to even; NaN stays NaN.
uint16_t ToBf16(float value);
float FromBf16(uint16_t bits);

}  // namespace entente

#endif  // COMMON_CODEC_UPDATE_CODEC_H_
