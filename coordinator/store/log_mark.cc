// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/log_mark.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "coordinator/store/journal_schema.h"
#include "coordinator/store/sqlite_file_system.h"

namespace entente::store {

absl::StatusOr<bool> HasLogMark(SqliteConnection& database, int64_t schema_version) {
  if (!HasFacts(schema_version)) return false;
  ENTENTE_ASSIGN_OR_RETURN(
      const int64_t found,
      database.QueryInteger("SELECT EXISTS (SELECT 1 FROM facts WHERE name = 'log')"));
  return found != 0;
}

absl::Status SetLogMark(SqliteConnection& database) {
  ENTENTE_ASSIGN_OR_RETURN(const bool is_set, HasLogMark(database, kSchemaVersion));
  if (is_set) return absl::OkStatus();
  return database.Execute(
      "INSERT INTO facts (name, value) VALUES ('log', 'needed'); PRAGMA wal_checkpoint(FULL)");
}

absl::Status ClearLogMark(SqliteConnection& database) {
  return database.Execute("DELETE FROM facts WHERE name = 'log'");
}

absl::Status CheckMarkedLog(const std::string& path, uint64_t log_bytes) {
  if (log_bytes >= kLogBytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the journal ", path, " was in use when its log ", path, "-wal was ",
      log_bytes == 0 ? std::string("lost")
                     : absl::StrCat("cut off (", log_bytes, " of ", kLogBytes, " bytes)"),
      ", and what was acknowledged last was in that log; nothing was changed: put the log, or a "
      "copy of the whole data directory, back"));
}

}  // namespace entente::store
