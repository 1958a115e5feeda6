// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_BYTE_STREAM_H_
#define TRAINER_DATA_BYTE_STREAM_H_

// A file read from front to end, gunzipped on the way if it is gzipped (told by its first two
// bytes, not by its name).

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/file_system.h"

namespace entente::trainer {

// Not thread-safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Fills `buffer` and returns how many bytes came: fewer than asked for only at the end.
  // DATA_LOSS, naming the file, if it is gzipped and broken or cut off.
  virtual absl::StatusOr<uint64_t> Read(absl::Span<uint8_t> buffer) = 0;

  // What is still to come is certainly no longer than this: a bound to check declared sizes against
  // before memory is taken for them.
  virtual uint64_t bytes_max() const = 0;
};

// `files` is needed for the call only.
absl::StatusOr<std::unique_ptr<ByteStream>> OpenByteStream(FileSystem& files,
                                                           const std::string& path);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_BYTE_STREAM_H_
