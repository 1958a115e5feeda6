// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_JOURNAL_H_
#define COORDINATOR_STORE_SQLITE_JOURNAL_H_

// The journal in one SQLite file, on a FileSystem: WAL, one row an event, each with a checksum. How
// durable an append is, is the file system's; see Durability.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"
#include "coordinator/store/journal.h"
#include "coordinator/store/journal_reader.h"
#include "coordinator/store/sqlite_connection.h"
#include "coordinator/store/sqlite_file_system.h"

namespace entente::store {

// Thread-safe.
class SqliteJournal final : public Journal, public JournalReader {
 public:
  // Called once, on the thread of the append that met it, when what is on the disk cannot be known
  // any more, with the reason: a sync failed, it is damaged, or another coordinator has written to
  // it. Every later append is refused with it; only opening the journal anew tells what it holds.
  using LossListener = std::function<void(const absl::Status& reason)>;

  // Opens or makes the file, brings an older schema up to date, and locks it for as long as this
  // lives.
  //
  // FAILED_PRECONDITION: another process has it, which is named, or a newer version of Entente
  // wrote it (left untouched). DATA_LOSS: it is damaged, has lost its log, or is not a journal
  // (left untouched). RESOURCE_EXHAUSTED, UNAVAILABLE: from the disk.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(FileSystem* files,
                                                             const std::string& path,
                                                             LossListener on_loss = nullptr);

  // The same for reading alone: nothing on the disk changes, and there must be a journal
  // (NOT_FOUND; DATA_LOSS if its log is there). An older schema is read as it is.
  static absl::StatusOr<std::unique_ptr<const SqliteJournal>> OpenForRead(FileSystem* files,
                                                                          const std::string& path);
  ~SqliteJournal() override;

  // FAILED_PRECONDITION, naming both, if the journal is another alliance's; OK if nobody has said
  // yet whose it is.
  absl::Status CheckIsOf(const std::string& alliance) const ABSL_LOCKS_EXCLUDED(mu_);

  // The first call of the journal's life writes down whose it is. Otherwise as CheckIsOf, or from
  // the disk, as Open.
  absl::Status BelongTo(const std::string& alliance) ABSL_LOCKS_EXCLUDED(mu_);

  // DATA_LOSS if tables and indexes do not fit each other. Reads all of it; Replay checks the
  // records themselves.
  absl::Status CheckIntegrity() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether there is not even a table, as when the first start was cut short, or when the log that
  // has the tables was lost. Never after Open.
  bool IsBlank() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether there is any entry at all; reads one row. From the disk, as Open.
  absl::StatusOr<bool> HasEntries() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether who had it open before ended without closing it: was killed, crashed, lost the power,
  // or could not, for the disk failed or it had met a loss. No if that one wrote nothing, and of a
  // copy.
  bool WasLeftOpen() const ABSL_LOCKS_EXCLUDED(mu_);

  // All of it was read and is sound. If there was a log, closing leaves it where it is until then,
  // for a start that is refused must lose nothing: where the database was damaged, or was put there
  // from elsewhere, the log may be all that is left of what was acknowledged last. It stays after a
  // loss, too. From here until it is closed the journal says that it needs its log; see log_mark.h.
  void Settle() ABSL_LOCKS_EXCLUDED(mu_);

  // Empty if nobody has said so yet.
  absl::StatusOr<std::string> Alliance() const ABSL_LOCKS_EXCLUDED(mu_);

  // Writes the journal as it is at one moment to a new file, while appends go on. ALREADY_EXISTS if
  // there is one; otherwise from the disk, as Open, and what was written of it is removed.
  absl::Status CopyTo(const std::string& path) const ABSL_LOCKS_EXCLUDED(mu_);

  // Also UNAVAILABLE, for good, after a loss; whether that append is in the journal shows when it
  // is opened again.
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
  // In order of construction: the lock goes last.
  struct Parts {
    std::unique_ptr<FileLock> lock;
    std::unique_ptr<SqliteFileSystem> disk;
    std::unique_ptr<SqliteConnection> database;
    int64_t schema_version = 0;
    bool is_marked = false;  // See log_mark.h.
    bool was_left_open = false;
  };
  SqliteJournal(FileSystem* files, std::string path, Parts parts, LossListener on_loss);

  // Opens, and checks the tables' version.
  static absl::StatusOr<Parts> OpenParts(FileSystem& files, const std::string& path,
                                         SqliteFileSystem::Access access,
                                         std::unique_ptr<FileLock> lock);
  absl::StatusOr<std::string> ReadAlliance() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckOwner(const std::string& owner, const std::string& alliance) const;
  absl::Status Insert(const JournalEntry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the disk can still be believed after an append that ended so.
  absl::Status LossAfter(const absl::Status& inserted) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::vector<std::string>> JobsInOrder() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status ReplayJob(const std::string& job,
                         const std::function<absl::Status(const JournalEntry&)>& visit) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Prepares a reading of rows for EntryAt; ?1 to ?3 of `which` are to be bound.
  absl::StatusOr<SqliteStatement> Select(absl::string_view which) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The row at hand. DATA_LOSS if it is damaged.
  absl::StatusOr<PlacedEntry> EntryAt(const SqliteStatement& statement) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::vector<PlacedEntry>> ReadAll(SqliteStatement& statement) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CopyPages(SqliteConnection& to) const ABSL_LOCKS_EXCLUDED(mu_);
  // A copy has no log, and needs none.
  absl::Status ClearMarkOfCopy(const std::string& path) const;

  FileSystem& files_;
  const std::string path_;
  const LossListener on_loss_;
  // SQLite's calls run under the lock: the write is the critical section.
  mutable absl::Mutex mu_;
  const Parts parts_ ABSL_GUARDED_BY(mu_);
  bool is_settled_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status loss_ ABSL_GUARDED_BY(mu_);  // OK until there is one.
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_JOURNAL_H_
