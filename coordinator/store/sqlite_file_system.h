// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_FILE_SYSTEM_H_
#define COORDINATOR_STORE_SQLITE_FILE_SYSTEM_H_

// Our FileSystem as SQLite sees a disk (https://sqlite.org/vfs.html), so that whatever can be
// injected into the one happens below the other.
//
// For one connection that keeps its files to itself: SQLite's own locks do nothing here and there
// is no shared memory, which WAL does without under locking_mode=EXCLUSIVE. Temporary files are
// refused: use temp_store=MEMORY.

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/base/file_system.h"

namespace entente::store {

// How long a log is made at once: what SQLite writes before it begins the log anew, 1000 pages and
// the last transaction's. To sync a block that is there takes a tenth of the time that a file
// system needs to sync one that it has to find first; a log that grows makes every commit slow.
// CheckLogIsMade relies on it: a longer one would have it refuse the journals of before.
inline constexpr uint64_t kLogBytes = uint64_t{4608} << 10;

// Registered with SQLite under name() while it lives; must outlive the connections opened through
// it. Not thread-safe but for making and destroying: one connection, one call at a time.
//
// After a Sync that failed nobody knows what is on the disk: the kernel may have dropped the bytes
// and call them clean (Rebello et al. 2020, "Can Applications Recover from fsync Failures?"). From
// then on every change is refused, so that SQLite neither syncs again and believes it, nor removes
// the log that still has what the database lost.
class SqliteFileSystem {
 public:
  // kRead: nothing on the disk changes, and a log that is not there is an empty one.
  enum class Access { kRead, kReadWrite };

  // `files` is borrowed.
  SqliteFileSystem(FileSystem* files, Access access);
  ~SqliteFileSystem();
  SqliteFileSystem(const SqliteFileSystem&) = delete;
  SqliteFileSystem& operator=(const SqliteFileSystem&) = delete;

  // For sqlite3_open_v2.
  const std::string& name() const { return name_; }

  // What the disk said when it last failed, for SQLite's own messages do not; OK if nothing has
  // failed since the last call.
  absl::Status TakeError();

  // OK until a sync fails; from then on what that one said.
  const absl::Status& sync_status() const { return sync_status_; }

  // For the calls that SQLite makes; see the source.
  FileSystem& files() { return files_; }
  Access access() const { return access_; }
  int Fail(const absl::Status& status, int code);
  void FailSync(const absl::Status& status);

 private:
  FileSystem& files_;
  const Access access_;
  const std::string name_;
  sqlite3_vfs vfs_ = {};
  absl::Status error_;
  absl::Status sync_status_;
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_FILE_SYSTEM_H_
