// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_LOG_CHECK_H_
#define COORDINATOR_STORE_SQLITE_LOG_CHECK_H_

// Tells a write-ahead log that was cut by a crash from one that was damaged later
// (https://sqlite.org/fileformat2.html#walformat). SQLite stops at the first frame whose checksum
// is wrong and drops all that follow, and takes a log whose header's is wrong for an empty one:
// right after a crash, which can only have torn the transaction, or the new header, that was being
// written; silent loss of what was acknowledged if a bit has flipped before others that were
// synced.

#include <string>

#include "absl/status/status.h"
#include "common/base/file_system.h"

namespace entente::store {

// OK if there is no log, or one that may have been cut by a crash. DATA_LOSS if there are commits
// behind the damage that no crash can have torn: each is synced before the next one begins; or if
// the header is neither the one that the first frame was written after, nor that one half replaced
// by its successor. Damage to the last commit alone looks like a crash in it. Reads the log once,
// changes nothing.
absl::Status CheckSqliteLog(FileSystem& files, const std::string& path);

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_LOG_CHECK_H_
