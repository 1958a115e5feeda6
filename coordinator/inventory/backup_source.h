// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_INVENTORY_BACKUP_SOURCE_H_
#define COORDINATOR_INVENTORY_BACKUP_SOURCE_H_

// A consistent copy of the data directory of a coordinator that works, piece by piece: the journal
// as it is at one moment, then every file that it names. Those are named by their content and
// written before they are journalled; none of them goes away while the copy is taken.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "coordinator/store/sqlite_journal.h"
#include "coordinator/updates/update_spool.h"

namespace entente::inventory {

// A file of the copy.
struct BackupFile {
  std::string path;  // In the data directory.
  uint64_t total_bytes = 0;
  Digest digest;
  bool is_present = false;  // The reader has it.
};

// Not thread-safe: one call at a time. Everything borrowed must outlive it.
class BackupSource {
 public:
  struct Dependencies {
    FileSystem* files = nullptr;
    const store::SqliteJournal* journal = nullptr;
    updates::UpdateSpool* spool = nullptr;
    std::string folder;  // The data directory.
  };

  // Copies the journal and reads it. `present`: digests of files that the reader has.
  //
  // FAILED_PRECONDITION while another copy is taken. DATA_LOSS, naming it, if a file that a job
  // needs is missing; RESOURCE_EXHAUSTED, UNAVAILABLE from the disk.
  static absl::StatusOr<std::unique_ptr<BackupSource>> Begin(const Dependencies& dependencies,
                                                             std::set<Digest> present);
  ~BackupSource();

  // In order; first the journal.
  const std::vector<BackupFile>& files() const { return backup_files_; }
  uint64_t job_count() const { return job_count_; }

  // Up to `bytes_max` bytes of a file from `offset`; DATA_LOSS if it has become shorter.
  absl::StatusOr<std::string> Read(size_t file_index, uint64_t offset, uint64_t bytes_max);

 private:
  explicit BackupSource(const Dependencies& dependencies);
  std::string PathOf(const std::string& name) const;
  std::string CopyPath() const;
  absl::Status CopyJournal();
  absl::Status ListFiles(const std::set<Digest>& present);

  const Dependencies deps_;
  const updates::SpoolHold hold_;
  std::unique_ptr<FileLock> lock_;  // Null until it is this one's turn.
  std::vector<BackupFile> backup_files_;
  uint64_t job_count_ = 0;
  std::unique_ptr<ReadableFile> open_file_;
  size_t open_index_ = 0;
};

}  // namespace entente::inventory

#endif  // COORDINATOR_INVENTORY_BACKUP_SOURCE_H_
