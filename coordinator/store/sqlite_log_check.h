// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_LOG_CHECK_H_
#define COORDINATOR_STORE_SQLITE_LOG_CHECK_H_

// Tells a write-ahead log that was cut by a crash from one that was damaged later
// (https://sqlite.org/fileformat2.html#walformat). SQLite stops at the first frame whose checksum
// is wrong and drops all that follow, and takes a log whose header's is wrong for an empty one:
// right after a crash, which can only have torn the transaction, or the new header, that was being
// written; silent loss of what was acknowledged if a bit has flipped before others that were
// synced.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"

namespace entente::store {

// Where SQLite has the log of a database.
std::string LogPathOf(const std::string& database_path);

// How many bytes from its start on hold, which is up to where SQLite will read; 0 if there is no
// log. It may have been cut by a crash, or by several one after another.
// DATA_LOSS if there are commits behind the damage, one written after the other, of which no crash
// can have torn more than the first: each is synced before the next one begins; or if the header is
// not the one that the first frame was written after, though the database lacks a page of that log.
// Damage to the last commit alone looks like a crash in it. Reads the log once, changes nothing.
absl::StatusOr<uint64_t> CheckSqliteLog(FileSystem& files, const std::string& database_path);

// Of a journal whose database is marked, see log_mark.h: DATA_LOSS, naming the log and what to do,
// if the log is not there, is shorter than it is made, or does not begin as every log does, however
// its header is torn. Before the database is opened, which makes its log.
absl::Status CheckLogIsMade(FileSystem& files, const std::string& database_path);

// Writes the log over itself, if there is one, and syncs it. After a sync that failed bytes can be
// read that are not on the disk, and no later sync brings them there (Rebello et al. 2020): a
// commit after them would be lost with them. So can the length, which log_mark.h relies on. Errors
// are the disk's.
absl::Status WriteLogAgain(FileSystem& files, const std::string& database_path);

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_LOG_CHECK_H_
