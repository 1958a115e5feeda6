// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TRANSFER_INCOMING_FILE_H_
#define COMMON_TRANSFER_INCOMING_FILE_H_

// A file that arrives in chunks: written beside its place as "<path>.part", hashed while it
// streams, continued where it stood after a cut, and renamed into place only when it is whole and
// its digest is right. Both directions use it: updates and models up, models down.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "common/transfer/path_lease.h"

namespace entente {

// What has arrived of the file "<path>" lies at "<path>.part".
inline constexpr absl::string_view kPartSuffix = ".part";

// Not thread-safe. Destroyed before Commit, it leaves the part for a later Open.
class IncomingFile {
 public:
  // Goes on with "<path>.part"; what an earlier try left is hashed, written again and kept (a part
  // longer than `total_bytes` is dropped). Only one may be open for a path at a time: where that is
  // not plain, the caller takes a lease, which is held until this is destroyed.
  //
  // Nothing on the disk changes before the first Append or CheckDigest, so who only asks for
  // offset() leaves nothing behind.
  //
  // RESOURCE_EXHAUSTED, with the numbers, if the bytes still to come would leave less than
  // `free_bytes_min` on the disk.
  static absl::StatusOr<std::unique_ptr<IncomingFile>> Open(FileSystem& files,
                                                            const std::string& path,
                                                            uint64_t total_bytes,
                                                            uint64_t free_bytes_min,
                                                            PathLease lease = PathLease());

  // Where the next chunk belongs.
  uint64_t offset() const { return offset_; }
  uint64_t total_bytes() const { return total_bytes_; }

  // OUT_OF_RANGE if `offset` is not offset() or the data passes the end; nothing is written then.
  // After an error of the disk (RESOURCE_EXHAUSTED, UNAVAILABLE) offset() is what it was and the
  // same chunk may be tried again. NOT_FOUND if the folder is gone before the first.
  // FAILED_PRECONDITION once the part was dropped.
  absl::Status Append(uint64_t offset, absl::string_view data);

  // Checks size and digest; the part stays a part, and may be read. OUT_OF_RANGE if it is not whole
  // yet. DATA_LOSS if the digest is another; the part is dropped. FAILED_PRECONDITION once it was
  // dropped.
  absl::Status CheckDigest(const Digest& expected);

  // Syncs the part that CheckDigest found right; what its owner does before, the disk writes
  // beside. UNAVAILABLE if the disk could not take it; the part is dropped, since nobody knows what
  // of it is there.
  absl::Status Sync();

  // CheckDigest, then Sync.
  absl::Status Verify(const Digest& expected);

  // Renames the synced part into place: on disk for good when it returns OK. After an error
  // nothing is in its place, unless a file was before: then that one is, or this one instead of it.
  // Perhaps there is no part any more either.
  absl::Status Commit();

  // Removes the part.
  absl::Status Discard();

  const std::string& part_path() const { return part_path_; }

 private:
  IncomingFile(FileSystem* files, const std::string& path, uint64_t total_bytes, PathLease lease);

  // Sets offset_ to what is there of the part.
  absl::Status TakeUp();
  absl::Status OpenPart();
  // Brings hash_ up to offset_, and what it covers to file_. Not in Open, for who only asks for the
  // offset of a large part would wait for all of it to be read.
  absl::Status HashTheRest();
  absl::Status CheckFreeBytes(uint64_t free_bytes_min) const;

  FileSystem& files_;
  const std::string path_;
  const std::string part_path_;
  const uint64_t total_bytes_;
  const PathLease lease_;
  bool is_overlong_ = false;            // The part that is there; dropped before the first write.
  std::unique_ptr<WritableFile> file_;  // Null before the first write, and once it is over.
  bool is_over_ = false;                // The part was dropped or committed.
  Sha256 hash_;
  uint64_t hashed_bytes_ = 0;  // hash_ is of so many.
  uint64_t offset_ = 0;
  bool is_checked_ = false;  // By CheckDigest.
  bool is_synced_ = false;
};

}  // namespace entente

#endif  // COMMON_TRANSFER_INCOMING_FILE_H_
