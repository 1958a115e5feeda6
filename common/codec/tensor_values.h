// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_TENSOR_VALUES_H_
#define COMMON_CODEC_TENSOR_VALUES_H_

// A tensor's numbers as floats, a piece at a time: memory stays small whatever the tensor's size.

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/codec/update_codec.h"
#include "common/tensor/safetensors.h"

namespace entente {

// Calls `visit` for every piece of tensor `index` of `file`, in order; `first` is the place in the
// tensor of values[0]. The tensor must be of EncodedDtype(encoding). Stops at the first error.
absl::Status VisitValues(
    const SafetensorsReader& file, size_t index, UpdateEncoding encoding,
    absl::FunctionRef<absl::Status(uint64_t first, absl::Span<const float> values)> visit);

// OK if every value is finite and within [-bound, bound]. INVALID_ARGUMENT otherwise, e.g.
// `tensor "fc.bias" holds nan at index 7`; `first` is the index of values[0].
absl::Status CheckValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         double bound);

}  // namespace entente

#endif  // COMMON_CODEC_TENSOR_VALUES_H_
