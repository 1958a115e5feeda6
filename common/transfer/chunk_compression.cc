// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/chunk_compression.h"

#include <zstd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace entente {
namespace {

// The fastest that still finds what there is to find in numbers.
constexpr int kLevel = 1;
constexpr int kChunksToSkip = 7;
// RFC 8878, section 3.1.1: 0xFD2FB528, little-endian. libzstd also reads what came before the
// format was fixed, with other code.
constexpr absl::string_view kMagic("\x28\xb5\x2f\xfd", 4);

}  // namespace

struct ChunkCompressor::Context {
  ZSTD_CCtx* const zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

ChunkCompressor::ChunkCompressor() = default;
ChunkCompressor::~ChunkCompressor() = default;
ChunkCompressor::ChunkCompressor(ChunkCompressor&&) noexcept = default;
ChunkCompressor& ChunkCompressor::operator=(ChunkCompressor&&) noexcept = default;

bool ChunkCompressor::Compress(std::string* data) {
  ENTENTE_CHECK(data->size() <= static_cast<uint64_t>(limits::kTransferChunkBytes));
  if (data->empty()) return false;
  if (chunks_to_skip_ > 0) {
    --chunks_to_skip_;
    return false;
  }
  if (context_ == nullptr) context_ = std::make_unique<Context>();
  frame_.resize(ZSTD_compressBound(data->size()));
  // The frame says how many bytes it holds: ZSTD_compressCCtx knows them from the start.
  const size_t size = ZSTD_compressCCtx(context_->zstd, frame_.data(), frame_.size(), data->data(),
                                        data->size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= data->size()) {
    chunks_to_skip_ = kChunksToSkip;
    return false;
  }
  frame_.resize(size);
  data->swap(frame_);
  return true;
}

struct ChunkDecompressor::Context {
  ZSTD_DCtx* const zstd = ZSTD_createDCtx();
  ~Context() { ZSTD_freeDCtx(zstd); }
};

ChunkDecompressor::ChunkDecompressor() = default;
ChunkDecompressor::~ChunkDecompressor() = default;
ChunkDecompressor::ChunkDecompressor(ChunkDecompressor&&) noexcept = default;
ChunkDecompressor& ChunkDecompressor::operator=(ChunkDecompressor&&) noexcept = default;

absl::StatusOr<absl::string_view> ChunkDecompressor::Decompress(absl::string_view frame,
                                                                uint64_t raw_bytes,
                                                                uint64_t raw_bytes_max) {
  raw_bytes_max = std::min<uint64_t>(raw_bytes_max, limits::kTransferChunkBytes);
  if (raw_bytes == 0 || raw_bytes > raw_bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("a compressed chunk says that it holds ",
                                                   raw_bytes, " bytes; here 1 to ", raw_bytes_max,
                                                   " can be"));
  }
  if (!absl::StartsWith(frame, kMagic)) {
    return absl::InvalidArgumentError("a compressed chunk is not a Zstandard frame");
  }
  // Unknown, or a header that is none, are values beyond any raw_bytes.
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != raw_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a compressed chunk's frame does not say that it holds the chunk's ", raw_bytes, " bytes"));
  }
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return absl::InvalidArgumentError(
        "a compressed chunk is not one whole Zstandard frame: it is cut off, or more follows");
  }
  if (context_ == nullptr) context_ = std::make_unique<Context>();
  raw_.resize(raw_bytes);
  const size_t size =
      ZSTD_decompressDCtx(context_->zstd, raw_.data(), raw_.size(), frame.data(), frame.size());
  if (size != raw_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a compressed chunk cannot be decompressed: ",
        ZSTD_isError(size) != 0 ? ZSTD_getErrorName(size) : "it holds another number of bytes"));
  }
  return absl::string_view(raw_);
}

}  // namespace entente
