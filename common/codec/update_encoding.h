// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CODEC_UPDATE_ENCODING_H_
#define COMMON_CODEC_UPDATE_ENCODING_H_

// How an update's numbers are written on the wire and in the spool; docs/protocol.md has it to the
// byte. Every encoding is a canonical safetensors file with the model's floating-point tensors:
//
//   fp32, bf16, fp16   tensors of the model's shapes, a number after the other
//   int8, int4         one-dimensional U8 tensors: blocks of 256 numbers with one scale
//   topk               one-dimensional U8 tensors: of each 4096 numbers the few largest
//
// A tensor's bytes are a sequence of blocks, each of as many bytes as its number of elements says.
// So the bytes of any range that begins at a block are in one piece, at an offset known beforehand.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/tensor/dtype.h"
#include "common/tensor/layout.h"

namespace entente {

enum class EncodingKind { kFp32, kBf16, kFp16, kInt8, kInt4, kTopk };

// How topk writes the numbers it keeps.
enum class TopkValues { k2Bit, kInt8 };

// A value; the last two matter to topk alone.
struct UpdateEncoding {
  EncodingKind kind = EncodingKind::kFp32;
  double topk_fraction = 0.03125;  // Of each chunk's numbers: over 0, at most 0.5.
  TopkValues topk_values = TopkValues::kInt8;

  static const UpdateEncoding kFp32;
  static const UpdateEncoding kBf16;
  static const UpdateEncoding kFp16;
  static const UpdateEncoding kInt8;
  static const UpdateEncoding kInt4;
  static UpdateEncoding Topk(double fraction, TopkValues values) {
    return {.kind = EncodingKind::kTopk, .topk_fraction = fraction, .topk_values = values};
  }

  friend bool operator==(const UpdateEncoding&, const UpdateEncoding&) = default;
};

inline constexpr UpdateEncoding UpdateEncoding::kFp32{.kind = EncodingKind::kFp32};
inline constexpr UpdateEncoding UpdateEncoding::kBf16{.kind = EncodingKind::kBf16};
inline constexpr UpdateEncoding UpdateEncoding::kFp16{.kind = EncodingKind::kFp16};
inline constexpr UpdateEncoding UpdateEncoding::kInt8{.kind = EncodingKind::kInt8};
inline constexpr UpdateEncoding UpdateEncoding::kInt4{.kind = EncodingKind::kInt4};

// "fp32", "topk", ...
absl::string_view EncodingName(EncodingKind kind);

// The type of the tensors in a file of this encoding.
Dtype EncodedDtype(const UpdateEncoding& encoding);

// Elements of a block: a range may be decoded by itself if it begins at a multiple of this and ends
// at one, or at the tensor's end. 1, 256 or 4096: a divisor of the aggregation's block.
size_t AlignmentElements(const UpdateEncoding& encoding);

// Bytes of `elements` numbers, 2^60 at most, that begin at a block. So it is also where element
// `elements` of a tensor begins, if that is a multiple of AlignmentElements.
uint64_t EncodedBytes(const UpdateEncoding& encoding, uint64_t elements);

// How many of the `elements` (1 to 4096) numbers of a chunk topk keeps: ceil(elements x fraction),
// the product in binary64; at least 1.
size_t TopkEntries(double fraction, size_t elements);

// An update of a model in an encoding: what its file looks like.
struct UpdateForm {
  UpdateEncoding encoding;
  Layout layout;
  std::string header;  // SafetensorsHeader(layout).

  uint64_t file_bytes() const { return header.size() + layout.TotalBytes(); }
  // Where the bytes of tensor `index` from element `first`, at a block's begin, lie in the file.
  uint64_t OffsetBytes(size_t index, uint64_t first) const {
    return header.size() + layout.OffsetBytes(index) + EncodedBytes(encoding, first);
  }
};

// `model` is the model's layout.
UpdateForm UpdateFormOf(const Layout& model, const UpdateEncoding& encoding);

// The forms in which a round takes updates whose recipe asks for `encoding`: that, and fp32, which
// every worker can write. No two of them have the same header, unless the model has no number.
std::vector<UpdateForm> AcceptedForms(const Layout& model, const UpdateEncoding& encoding);

// "640 (bf16) or 1216 (fp32)": the bytes of each of `forms`.
std::string SizesText(const std::vector<UpdateForm>& forms);

// Which of `forms` the file has: its place there. It is told from size and header, byte for byte.
// INVALID_ARGUMENT if it has none of them.
absl::StatusOr<size_t> FindForm(const ReadableFile& file, const std::vector<UpdateForm>& forms);

}  // namespace entente

#endif  // COMMON_CODEC_UPDATE_ENCODING_H_
