// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_LOG_MARK_H_
#define COORDINATOR_STORE_LOG_MARK_H_

// A journal's mark, in its database, that it needs its log. What was acknowledged last is in the
// log alone, and SQLite takes a log that is missing, or cut at its end, for one that had no more in
// it: a database without its log reads as if it had been closed. So the database says since when it
// is open, and a mark without a whole log shows that the log was lost.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/sqlite_connection.h"

namespace entente::store {

// False in a database of before schema version 8, or without tables.
absl::StatusOr<bool> HasLogMark(SqliteConnection& database, int64_t schema_version);

// Puts the mark where it can be read without the log. It may have come no further than the log if
// this fails.
absl::Status SetLogMark(SqliteConnection& database);

// Before the database is closed, which moves its log into it.
absl::Status ClearLogMark(SqliteConnection& database);

}  // namespace entente::store

#endif  // COORDINATOR_STORE_LOG_MARK_H_
