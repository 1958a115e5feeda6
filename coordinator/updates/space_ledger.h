// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_UPDATES_SPACE_LEDGER_H_
#define COORDINATOR_UPDATES_SPACE_LEDGER_H_

// Who may fill how much of the disk. What an upload has announced is set aside before its bytes
// travel, so that any number of uploads together overcommit neither the spool's quota nor the disk.
//
//   quota >= bytes in the spool + bytes promised to open uploads
//   free disk - free_bytes_min >= bytes promised to open uploads
//
// Bytes move from promised to present as they are written. A cut upload's part stays present, for
// it will be continued, but its promise ends. Of files outside the spool it is counted what parts
// there are, under way or cut; a whole one is no more the ledger's.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"

namespace entente::updates {

class SpaceLedger;

// The room for one file, until it is destroyed. Then the file is looked at once more, and what is
// there stays counted: all of it if it was stored, a part if it was cut, nothing if it was dropped.
// Not thread-safe. The ledger must outlive it.
class SpaceReservation {
 public:
  SpaceReservation() = default;  // Holds nothing.
  SpaceReservation(SpaceReservation&& other) noexcept;
  SpaceReservation& operator=(SpaceReservation&&) = delete;
  ~SpaceReservation();

  // So many bytes of the file are written now.
  void SetPresent(uint64_t bytes);

 private:
  friend class SpaceLedger;
  SpaceReservation(SpaceLedger* ledger, std::string path);

  SpaceLedger* ledger_ = nullptr;  // Null: holds nothing.
  std::string path_;
};

// Thread-safe. Paths are those of whole files; what has arrived of one lies at "<path>.part".
class SpaceLedger {
 public:
  static constexpr uint64_t kNoQuota = std::numeric_limits<uint64_t>::max();

  enum class Account {
    kSpool,  // Counts against the quota, and against the disk.
    kDisk,   // Counts against the disk alone.
  };

  // What somebody wants to store.
  struct Request {
    std::string path;
    std::string what;  // For the message, e.g. "the update of fr-lab/gpu-1".
    uint64_t total_bytes = 0;
    // What must stay free: the coordinator's limit and, for an update, room for what is made of it.
    uint64_t free_bytes_min = 0;
    Account account = Account::kSpool;
  };

  // `files` is borrowed. `folder` is on the disk that is filled.
  SpaceLedger(FileSystem* files, std::string folder, uint64_t quota_bytes);

  // Counts a file that is there already: for the start.
  void AddPresent(const std::string& path, Account account = Account::kSpool)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Sets the file's bytes aside. UNAVAILABLE while they are for another upload. RESOURCE_EXHAUSTED,
  // with what is needed, used, promised, allowed and free, if they do not fit. The disk's error if
  // it does not say what is free. Nothing is set aside then.
  absl::StatusOr<SpaceReservation> Reserve(const Request& request);

  // The file, or every file in the folder, is gone. One that is being received stays counted until
  // its reservation ends.
  void Forget(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);
  void ForgetFolder(const std::string& folder) ABSL_LOCKS_EXCLUDED(mu_);

  // Of the spool: bytes on the disk, and bytes promised to open uploads.
  uint64_t present_bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t promised_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

  // Of files outside the spool: how many are under way or cut, and their bytes on the disk.
  uint64_t part_count() const ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t part_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class SpaceReservation;

  struct Entry {
    Account account = Account::kSpool;
    bool is_open = false;
    uint64_t present = 0;
    uint64_t promised = 0;
  };
  struct Sums {
    uint64_t spool_present = 0;
    uint64_t spool_promised = 0;
    uint64_t all_promised = 0;
    uint64_t part_count = 0;
    uint64_t part_bytes = 0;
  };

  void SetPresent(const std::string& path, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the reservation: counts what is there.
  void Settle(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t BytesThere(const std::string& path) const;
  void Count(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Discount(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NoRoom(const Request& request, uint64_t needed, const Sums& sums) const;

  FileSystem& files_;
  const std::string folder_;
  const uint64_t quota_bytes_;

  mutable absl::Mutex mu_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  Sums sums_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::updates

#endif  // COORDINATOR_UPDATES_SPACE_LEDGER_H_
