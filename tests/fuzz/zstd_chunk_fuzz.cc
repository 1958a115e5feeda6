// SPDX-License-Identifier: Apache-2.0
// Input: four bytes with how many bytes the chunk says it holds, then the chunk. It is decompressed
// to just so many, or refused; and taken as raw bytes, it comes back from a compressor as it was.

#include <cstdint>
#include <string>

#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/transfer/chunk_compression.h"

namespace entente {
namespace {

constexpr size_t kSizeBytes = 4;

void CheckComesBack(const std::string& raw) {
  std::string data = raw;
  if (!ChunkCompressor().Compress(&data)) {
    ENTENTE_CHECK(data == raw);
    return;
  }
  ENTENTE_CHECK(data.size() < raw.size());
  ChunkDecompressor decompressor;
  const auto back = decompressor.Decompress(data, raw.size(), raw.size());
  ENTENTE_CHECK(back.ok() && *back == raw);
}

}  // namespace
}  // namespace entente

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using entente::kSizeBytes;
  if (size < kSizeBytes) return 0;
  uint32_t raw_bytes = 0;
  for (size_t i = kSizeBytes; i > 0; --i) raw_bytes = raw_bytes << 8 | data[i - 1];
  const std::string chunk(reinterpret_cast<const char*>(data) + kSizeBytes, size - kSizeBytes);
  entente::ChunkDecompressor decompressor;
  const auto raw = decompressor.Decompress(chunk, raw_bytes, ~uint64_t{0});
  if (raw.ok()) {
    ENTENTE_CHECK(raw->size() == raw_bytes);
    ENTENTE_CHECK(raw_bytes <= entente::limits::kTransferChunkBytes);
    entente::CheckComesBack(std::string(*raw));
  } else {
    ENTENTE_CHECK(absl::IsInvalidArgument(raw.status()));
  }
  entente::CheckComesBack(chunk);
  return 0;
}
