// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_JOURNAL_SCHEMA_H_
#define COORDINATOR_STORE_JOURNAL_SCHEMA_H_

// The tables of the journal's database, and how each version of them became the next.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/store/sqlite_connection.h"

namespace entente::store {

// Of the tables that this program writes.
inline constexpr int64_t kSchemaVersion = 8;

// One row of the journal, as its checksum is taken.
struct JournalRow {
  absl::string_view job;
  int64_t sequence = 0;
  int64_t at_us = 0;
  absl::string_view record;
};

// The first 8 bytes of a SHA-256 over every column: SQLite finds a damaged page, not a changed
// value in one.
int64_t ChecksumOf(const JournalRow& row);

// Whether this version has a checksum in each row, and a table of what else is known.
bool HasChecksums(int64_t schema_version);
bool HasFacts(int64_t schema_version);

// The version of the database's tables; 0 if it is empty. DATA_LOSS if it is damaged or is not a
// journal; FAILED_PRECONDITION if it is newer than this program. Changes nothing.
absl::StatusOr<int64_t> CheckSchema(SqliteConnection& database, const std::string& path);

// Brings tables of `version`, as CheckSchema gave it, up to date, all steps or none.
absl::Status MigrateSchema(SqliteConnection& database, int64_t version);

}  // namespace entente::store

#endif  // COORDINATOR_STORE_JOURNAL_SCHEMA_H_
