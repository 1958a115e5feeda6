// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TENSOR_LAYOUT_H_
#define COMMON_TENSOR_LAYOUT_H_

// The names, types and shapes of a model's tensors, in canonical order: sorted by name, bytewise.
// Two files with equal layouts have equal headers and equal offsets, so a model's digest depends on
// its values alone.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tensor/dtype.h"

namespace entente {

struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<uint64_t> shape;  // Empty for a scalar.

  uint64_t ElementCount() const;
  uint64_t Bytes() const { return ElementCount() * DtypeBytes(dtype); }
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

// Immutable once made.
class Layout {
 public:
  Layout() = default;

  // Sorts the tensors. INVALID_ARGUMENT if a name is empty, longer than
  // limits::kTensorNameBytesMax, not printable UTF-8, reserved ("__metadata__") or there twice, a
  // rank is over limits::kTensorRankMax, or the total size passes 2^62 bytes.
  static absl::StatusOr<Layout> Create(std::vector<TensorSpec> tensors);

  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  // Where tensor i's bytes start in the data section, and the size of that section.
  uint64_t OffsetBytes(size_t i) const { return offsets_[i]; }
  uint64_t TotalBytes() const { return total_bytes_; }

  // Elements of the floating-point tensors: what is federated.
  uint64_t FloatElementCount() const;

  // The floating-point tensors alone, all as `dtype`: the layout of an update in that encoding.
  Layout UpdateLayout(Dtype dtype) const;

  friend bool operator==(const Layout& a, const Layout& b) { return a.tensors_ == b.tensors_; }

 private:
  std::vector<TensorSpec> tensors_;
  std::vector<uint64_t> offsets_;
  uint64_t total_bytes_ = 0;
};

// OK if `actual` is `expected`; else INVALID_ARGUMENT that names the first missing, extra, retyped
// or reshaped tensor, e.g. `tensor "fc.weight" has shape [10,64], expected [10,128]`.
absl::Status CheckSameLayout(const Layout& expected, const Layout& actual);

// `tensor "fc.weight"`, for a sentence: the name escaped, cut if it is long.
std::string TensorText(absl::string_view name);

// "[10,128]"; "[]" for a scalar.
std::string ShapeText(const std::vector<uint64_t>& shape);

}  // namespace entente

#endif  // COMMON_TENSOR_LAYOUT_H_
