// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TENSOR_DTYPE_H_
#define COMMON_TENSOR_DTYPE_H_

// Element types, by their safetensors names.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

enum class Dtype { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool };

// "F32", "BF16", ...
absl::string_view DtypeName(Dtype dtype);

// INVALID_ARGUMENT for a name that is none.
absl::StatusOr<Dtype> ParseDtype(absl::string_view name);

uint64_t DtypeBytes(Dtype dtype);

bool IsFloatingPoint(Dtype dtype);

}  // namespace entente

#endif  // COMMON_TENSOR_DTYPE_H_
