// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TRANSFER_CHUNK_COMPRESSION_H_
#define COMMON_TRANSFER_CHUNK_COMPRESSION_H_

// The bytes of one chunk as one Zstandard frame (RFC 8878), where that is smaller. Every chunk is a
// frame by itself, so offsets, digests and files are those of the raw bytes, and a transfer goes on
// after a cut as if nothing had been compressed.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entente {

// A transfer's chunks on their way out. Not thread-safe; its memory, about 1 MiB, is taken with the
// first chunk.
class ChunkCompressor {
 public:
  ChunkCompressor();
  ~ChunkCompressor();
  ChunkCompressor(ChunkCompressor&&) noexcept;
  ChunkCompressor& operator=(ChunkCompressor&&) noexcept;

  // Replaces `data`, limits::kTransferChunkBytes at most, by the frame that holds it and returns
  // true if that is smaller; else leaves it as it is. After one that was not, a few chunks go
  // without a try: numbers that do not compress seldom stand alone.
  bool Compress(std::string* data);

 private:
  struct Context;
  std::unique_ptr<Context> context_;  // Null before the first chunk.
  std::string frame_;
  int chunks_to_skip_ = 0;
};

// A transfer's chunks on their way in. Not thread-safe.
class ChunkDecompressor {
 public:
  ChunkDecompressor();
  ~ChunkDecompressor();
  ChunkDecompressor(ChunkDecompressor&&) noexcept;
  ChunkDecompressor& operator=(ChunkDecompressor&&) noexcept;

  // The raw_bytes (1 or more) that `frame` holds; they stay until the next call. No more than
  // limits::kTransferChunkBytes are ever allocated for them, and nothing before the frame's header
  // has said that it holds just so many.
  //
  // INVALID_ARGUMENT if `frame` is not one whole frame of raw_bytes, or they are more than
  // `raw_bytes_max` or the limit.
  absl::StatusOr<absl::string_view> Decompress(absl::string_view frame, uint64_t raw_bytes,
                                               uint64_t raw_bytes_max);

 private:
  struct Context;
  std::unique_ptr<Context> context_;  // Null before the first chunk.
  std::string raw_;
};

}  // namespace entente

#endif  // COMMON_TRANSFER_CHUNK_COMPRESSION_H_
