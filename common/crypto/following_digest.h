// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CRYPTO_FOLLOWING_DIGEST_H_
#define COMMON_CRYPTO_FOLLOWING_DIGEST_H_

// The SHA-256 of a file that several threads write, piece by piece in about the order of the file,
// taken while they write: what comes out of order is read again, from the page cache, once the gap
// before it is closed. So the digest is there with the last byte instead of after one more reading
// of the whole file by one thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"

namespace entente {

// Thread-safe. One thread hashes at a time; the others only note what they wrote and go on.
class FollowingDigest {
 public:
  // Of the file at `path`, which exists and has nothing in it yet that counts. NOT_FOUND and what
  // else opening it gives.
  static absl::StatusOr<std::unique_ptr<FollowingDigest>> Create(FileSystem& files,
                                                                 const std::string& path);

  // `data` is in the file at `offset`. Each byte may be told once. Hashes it if nothing before it
  // is missing and nobody else hashes, and then all that was waiting for it. Errors are those of
  // reading the file; the digest is of no use then.
  absl::Status Wrote(uint64_t offset, absl::string_view data);

  // The digest of the bytes from 0 to the first gap. No call of Wrote may be running.
  Digest Current() const;

 private:
  explicit FollowingDigest(std::unique_ptr<ReadableFile> file);

  // Adds [offset, offset + size) to what waits, joined with its neighbours.
  void Wait(uint64_t offset, uint64_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Hashes `size` bytes of the file from hashed_bytes_ on. Only by the thread that set is_hashing_.
  absl::Status Read(uint64_t from, uint64_t size);

  const std::unique_ptr<ReadableFile> file_;
  mutable absl::Mutex mu_;
  bool is_hashing_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t hashed_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, uint64_t> waiting_ ABSL_GUARDED_BY(mu_);  // Offset to size; none touch.

  // Owned by whoever set is_hashing_.
  Sha256 hash_;
  std::string buffer_;
};

}  // namespace entente

#endif  // COMMON_CRYPTO_FOLLOWING_DIGEST_H_
