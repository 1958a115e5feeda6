// SPDX-License-Identifier: Apache-2.0
#include "common/codec/value_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/codec/block_codes.h"
#include "common/codec/simd_kernels.h"
#include "common/codec/topk_codes.h"

namespace entente {
namespace {

static_assert(std::endian::native == std::endian::little, "Tensor bytes are used as they lie.");

void AppendBlock(const UpdateEncoding& encoding, uint64_t tensor_seed, uint64_t first,
                 absl::Span<const float> values, std::string* bytes) {
  switch (encoding.kind) {
    case EncodingKind::kInt8:
      return AppendInt8Block(values, tensor_seed, first, bytes);
    case EncodingKind::kInt4:
      return AppendInt4Block(values, tensor_seed, first, bytes);
    default:
      return AppendTopkChunk(values, TopkEntries(encoding.topk_fraction, values.size()),
                             encoding.topk_values, bytes);
  }
}

absl::Status DecodeBlock(const UpdateEncoding& encoding, absl::Span<const char> bytes,
                         absl::Span<float> values) {
  switch (encoding.kind) {
    case EncodingKind::kInt8:
      return DecodeInt8Block(bytes, values);
    case EncodingKind::kInt4:
      return DecodeInt4Block(bytes, values);
    default:
      return DecodeTopkChunk(bytes, TopkEntries(encoding.topk_fraction, values.size()),
                             encoding.topk_values, values);
  }
}

}  // namespace

void EncodeValues(const UpdateEncoding& encoding, uint64_t tensor_seed, uint64_t first,
                  absl::Span<const float> values, std::string* bytes) {
  const size_t block = AlignmentElements(encoding);
  ENTENTE_CHECK(first % block == 0);
  bytes->clear();
  if (values.empty()) return;
  switch (encoding.kind) {
    case EncodingKind::kFp32:
      bytes->assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      return;
    case EncodingKind::kBf16:
      bytes->resize(EncodedBytes(encoding, values.size()));
      return simd::EncodeBf16(values, bytes->data());
    case EncodingKind::kFp16:
      bytes->resize(EncodedBytes(encoding, values.size()));
      return simd::EncodeFp16(values, bytes->data());
    default:
      break;
  }
  bytes->reserve(EncodedBytes(encoding, values.size()));
  for (size_t i = 0; i < values.size(); i += block) {
    AppendBlock(encoding, tensor_seed, first + i, values.subspan(i, block), bytes);
  }
}

absl::Status DecodeValues(const UpdateEncoding& encoding, uint64_t first,
                          absl::Span<const char> bytes, absl::Span<float> values) {
  const size_t block = AlignmentElements(encoding);
  ENTENTE_CHECK(first % block == 0);
  if (const uint64_t expected = EncodedBytes(encoding, values.size()); bytes.size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat(values.size(), " numbers in ",
                                                   EncodingName(encoding.kind), " have ", expected,
                                                   " bytes, not ", bytes.size()));
  }
  if (values.empty()) return absl::OkStatus();
  switch (encoding.kind) {
    case EncodingKind::kFp32:
      std::memcpy(values.data(), bytes.data(), bytes.size());
      return absl::OkStatus();
    case EncodingKind::kBf16:
      simd::DecodeBf16(bytes.data(), values);
      return absl::OkStatus();
    case EncodingKind::kFp16:
      simd::DecodeFp16(bytes.data(), values);
      return absl::OkStatus();
    default:
      break;
  }
  const size_t whole_block_bytes = EncodedBytes(encoding, block);
  for (size_t i = 0, offset = 0; i < values.size(); i += block, offset += whole_block_bytes) {
    const absl::Status decoded =
        DecodeBlock(encoding, bytes.subspan(offset, whole_block_bytes), values.subspan(i, block));
    if (!decoded.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("in the block at element ", first + i, " ", decoded.message()));
    }
  }
  return absl::OkStatus();
}

double EncodableMax(const UpdateEncoding& encoding) {
  switch (encoding.kind) {
    // The largest number is 0x1.fep127; half a step above it is a tie, which goes to even, and that
    // is infinity.
    case EncodingKind::kBf16:
      return 0x1.fefffep127;
    // Likewise 65,504, and 65,520.
    case EncodingKind::kFp16:
      return 0x1.ffdffep15;
    default:
      return std::numeric_limits<float>::max();
  }
}

}  // namespace entente
