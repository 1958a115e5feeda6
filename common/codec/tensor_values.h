// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_TENSOR_VALUES_H_
#define COMMON_CODEC_TENSOR_VALUES_H_

// A tensor's numbers as floats, a piece at a time: memory stays small whatever the tensor's size.

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/codec/update_encoding.h"
#include "common/tensor/safetensors.h"

namespace entente {

// A tensor of a file, and how many numbers in which encoding are in it.
struct EncodedTensor {
  size_t index = 0;  // Its place in file.layout().tensors().
  uint64_t elements = 0;
  UpdateEncoding encoding;
};

// Tensor `index` of a file of F32 tensors.
EncodedTensor PlainTensor(const SafetensorsReader& file, size_t index);

// Calls `visit` for every piece of the tensor, in order; `first` is the place in the tensor of
// values[0], a multiple of AlignmentElements of any encoding. The file's tensor must be the one
// that the encoding makes of so many elements: UpdateFormOf. Stops at the first error.
// INVALID_ARGUMENT, naming the tensor, if its bytes are not that encoding's.
absl::Status VisitValues(
    const SafetensorsReader& file, const EncodedTensor& tensor,
    absl::FunctionRef<absl::Status(uint64_t first, absl::Span<const float> values)> visit);

// OK if every value is finite and within [-bound, bound]. INVALID_ARGUMENT otherwise, e.g.
// `tensor "fc.bias" holds nan at index 7`; `first` is the index of values[0].
absl::Status CheckValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         double bound);

// The largest float that is finite and at most `bound`, which is over 0.
float FloatBound(double bound);

}  // namespace entente

#endif  // COMMON_CODEC_TENSOR_VALUES_H_
