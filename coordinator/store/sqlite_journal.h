// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_JOURNAL_H_
#define COORDINATOR_STORE_SQLITE_JOURNAL_H_

// The journal in one SQLite file: WAL, one row an event. With Durability::kPowerLoss it is
// synchronous=FULL, with kProcess OFF.

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"
#include "coordinator/store/journal.h"
#include "coordinator/store/journal_reader.h"

struct sqlite3;

namespace entente::store {

// Thread-safe.
class SqliteJournal final : public Journal, public JournalReader {
 public:
  // Opens or makes the file and takes an exclusive lock on it.
  //
  // FAILED_PRECONDITION: another process has it open, or a newer version of Entente wrote it (left
  // untouched). DATA_LOSS: it is not a journal. RESOURCE_EXHAUSTED, UNAVAILABLE: from the disk.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(
      const std::string& path, Durability durability = Durability::kPowerLoss);
  ~SqliteJournal() override;

  absl::Status Append(const JournalEntry& entry) override ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Replay(const std::function<absl::Status(const JournalEntry&)>& visit) const override
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<PlacedEntry>> ReadBack(const JobId& job, uint64_t position,
                                                    uint32_t count_max) const override
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<PlacedEntry>> ReadOn(const JobId& job, uint64_t sequence,
                                                  uint32_t count_max) const override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  SqliteJournal(std::string path, sqlite3* database);

  const std::string path_;
  // SQLite's calls run under the lock: the write is the critical section.
  mutable absl::Mutex mu_;
  sqlite3* const database_ ABSL_PT_GUARDED_BY(mu_);
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_JOURNAL_H_
