// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_TRANSFER_PATH_LEASE_H_
#define COMMON_TRANSFER_PATH_LEASE_H_

// One writer a file. Two uploads into one part could each be whole and right by their own count
// while the disk holds a mix of both, or be changed after they were checked.

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace entente {

// The right to write a path, until it is destroyed. A default one holds nothing.
class PathLease {
 public:
  PathLease() = default;
  PathLease(PathLease&& other) noexcept = default;
  PathLease& operator=(PathLease&&) = delete;
  ~PathLease();

 private:
  friend class PathLeases;
  struct Paths;
  PathLease(std::shared_ptr<Paths> paths, std::string path);

  std::shared_ptr<Paths> paths_;  // Shared with PathLeases, which may go first.
  std::string path_;
};

// Thread-safe.
class PathLeases {
 public:
  PathLeases();
  ~PathLeases();

  // UNAVAILABLE while somebody else has the path; `what` says in the message what is being
  // received.
  absl::StatusOr<PathLease> Take(const std::string& path, absl::string_view what);

 private:
  const std::shared_ptr<PathLease::Paths> paths_;  // Shared with every lease.
};

}  // namespace entente

#endif  // COMMON_TRANSFER_PATH_LEASE_H_
