// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_VALUE_CODEC_H_
#define COMMON_CODEC_VALUE_CODEC_H_

// A range of a tensor's numbers, to the bytes of any encoding and back. A range begins at a
// multiple of AlignmentElements and ends at one, or at the tensor's end; its bytes do not depend on
// how a tensor is cut into ranges.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/codec/update_encoding.h"

namespace entente {

// Replaces `bytes` by the EncodedBytes(encoding, values.size()) of `values`, which are finite and
// at most EncodableMax. values[0] is element `first` of its tensor; `tensor_seed` seeds the
// rounding of int8 and int4.
void EncodeValues(const UpdateEncoding& encoding, uint64_t tensor_seed, uint64_t first,
                  absl::Span<const float> values, std::string* bytes);

// Reads values.size() numbers from bytes that a stranger wrote; values[0] is element `first` of its
// tensor. INVALID_ARGUMENT, naming the element where the bad block begins, if there are too many or
// too few bytes, or a block is not as docs/protocol.md has it; the values then mean nothing. NaN
// and infinities may come out: see CheckValues.
absl::Status DecodeValues(const UpdateEncoding& encoding, uint64_t first,
                          absl::Span<const char> bytes, absl::Span<float> values);

// The largest magnitude that does not become infinite.
double EncodableMax(const UpdateEncoding& encoding);

}  // namespace entente

#endif  // COMMON_CODEC_VALUE_CODEC_H_
