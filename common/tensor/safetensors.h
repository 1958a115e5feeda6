// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TENSOR_SAFETENSORS_H_
#define COMMON_TENSOR_SAFETENSORS_H_

// The safetensors file format (github.com/huggingface/safetensors): 8 bytes little-endian header
// size, a JSON header, the tensors' bytes. Nothing in it can run.
//
// Files that Entente writes are canonical: tensors sorted by name, without gaps, no metadata, the
// header padded with spaces to a multiple of 8 bytes. Files that others wrote may order their
// tensors as they like.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/crypto/following_digest.h"
#include "common/crypto/sha256.h"
#include "common/tensor/layout.h"

namespace entente {

// A safetensors file opened for reading. Thread-safe.
class SafetensorsReader {
 public:
  // Reads and checks the header; no tensor byte is read. The file is hostile until checked: lengths
  // are compared with the file's size before anything is allocated.
  //
  // INVALID_ARGUMENT, naming the file and the fault: too short, header too large or not JSON, a
  // tensor without dtype, shape or offsets, offsets that overlap, leave gaps or pass the end. A
  // caller who knows what to expect lowers `header_bytes_max`: memory is a small multiple of it.
  static absl::StatusOr<std::unique_ptr<SafetensorsReader>> Open(
      FileSystem& files, const std::string& path,
      uint64_t header_bytes_max = limits::kTensorHeaderBytesMax);

  const Layout& layout() const { return layout_; }
  uint64_t file_bytes() const { return file_->size_bytes(); }

  // Whether the file is byte for byte what SafetensorsWriter would have written.
  bool is_canonical() const { return is_canonical_; }

  // Fills `buffer` with bytes of tensor `index` (its place in layout().tensors()) from
  // `offset_bytes` within the tensor. OUT_OF_RANGE past its end.
  absl::Status ReadAt(size_t index, uint64_t offset_bytes, absl::Span<char> buffer) const;

 private:
  SafetensorsReader(std::unique_ptr<ReadableFile> file, Layout layout,
                    std::vector<uint64_t> file_offsets, bool is_canonical);

  const std::unique_ptr<ReadableFile> file_;
  const Layout layout_;
  const std::vector<uint64_t> file_offsets_;  // By place in the layout.
  const bool is_canonical_;
};

// Writes a canonical safetensors file.
class SafetensorsWriter {
 public:
  // Writes the header. The caller removes the file when something fails later.
  static absl::StatusOr<std::unique_ptr<SafetensorsWriter>> Create(FileSystem& files,
                                                                   const std::string& path,
                                                                   Layout layout);
  // The same, and takes the file's digest while it is written.
  static absl::StatusOr<std::unique_ptr<SafetensorsWriter>> CreateHashed(FileSystem& files,
                                                                         const std::string& path,
                                                                         Layout layout);

  const Layout& layout() const { return layout_; }

  // May be called from several threads at once, for different bytes.
  absl::Status WriteAt(size_t index, uint64_t offset_bytes, absl::string_view data);

  // Whether every byte of every tensor has been written.
  bool is_whole() const { return bytes_written_ == layout_.TotalBytes(); }

  // Syncs a whole file to disk.
  absl::Status Finish();

  // The digest of a whole file, of a writer made with CreateHashed. No WriteAt may be running.
  Digest digest() const;

 private:
  SafetensorsWriter(std::unique_ptr<WritableFile> file, std::unique_ptr<FollowingDigest> digest,
                    Layout layout, uint64_t data_start);

  static absl::StatusOr<std::unique_ptr<SafetensorsWriter>> Start(
      std::unique_ptr<WritableFile> file, std::unique_ptr<FollowingDigest> digest, Layout layout);
  // Writes at a place of the file, for the digest too.
  absl::Status Put(uint64_t offset, absl::string_view data);

  const std::unique_ptr<WritableFile> file_;
  const std::unique_ptr<FollowingDigest> digest_;  // Null: nobody asked for it.
  const Layout layout_;
  const uint64_t data_start_;
  std::atomic<uint64_t> bytes_written_{0};
};

// The header (size prefix included) of the canonical file with this layout.
std::string SafetensorsHeader(const Layout& layout);

// Size of the canonical file with this layout.
uint64_t SafetensorsFileBytes(const Layout& layout);

}  // namespace entente

#endif  // COMMON_TENSOR_SAFETENSORS_H_
