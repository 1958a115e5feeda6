// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/log_mark.h"

#include "common/base/status_macros.h"
#include "coordinator/store/journal_schema.h"

namespace entente::store {

absl::StatusOr<bool> HasLogMark(SqliteConnection& database, int64_t schema_version) {
  if (!HasFacts(schema_version)) return false;
  ENTENTE_ASSIGN_OR_RETURN(
      const int64_t found,
      database.QueryInteger("SELECT EXISTS (SELECT 1 FROM facts WHERE name = 'log')"));
  return found != 0;
}

absl::Status SetLogMark(SqliteConnection& database) {
  // The mark of a start that was cut short may be in the log alone.
  return database.Execute(
      "INSERT OR IGNORE INTO facts (name, value) VALUES ('log', 'needed');"
      "PRAGMA wal_checkpoint(FULL)");
}

absl::Status ClearLogMark(SqliteConnection& database) {
  return database.Execute("DELETE FROM facts WHERE name = 'log'");
}

}  // namespace entente::store
