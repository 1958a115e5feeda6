// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/journal_schema.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "common/base/little_endian.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace entente::store {
namespace {

// "Ente", for file(1) and for telling a foreign database.
constexpr int kApplicationId = 0x456e7465;

// kSteps[n] makes version n + 1 of version n. A step, once released, never changes.
constexpr std::array<const char*, 8> kSteps = {
    R"(
      CREATE TABLE events (
        id       INTEGER PRIMARY KEY,
        job      TEXT    NOT NULL,
        sequence INTEGER NOT NULL,
        at_us    INTEGER NOT NULL,
        record   BLOB    NOT NULL,
        UNIQUE (job, sequence)
      ) STRICT;
    )",
    // Records of failed workers, and recipes with encodings beyond bf16, came with version 2;
    // recipes that download bf16 or compress, paused jobs, skipped workers and checkpoints with
    // version 3. The tables are the same, but a program of before must not read them.
    "",
    "",
    R"(
      DROP TABLE IF EXISTS room;  -- A start of version 3 that was cut short may have left it.
      ALTER TABLE events ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
      UPDATE events SET checksum = journal_checksum(job, sequence, at_us, record);
      CREATE TABLE facts (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    )",
    // Records of lost updates came with version 5, those of attempts that do not count for workers
    // that are away with version 6, those of the coordinator's starts with version 7, and the mark
    // of an open journal, which a program of before would not clear, with version 8; the tables are
    // the same.
    "",
    "",
    "",
    "",
};
static_assert(kSteps.size() == kSchemaVersion);
constexpr int64_t kFirstVersionWithChecksums = 4;
constexpr int64_t kFirstVersionWithFacts = 4;

absl::string_view BytesOf(sqlite3_value* value) {
  const auto* const bytes = static_cast<const char*>(sqlite3_value_blob(value));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_value_bytes(value))};
}

// journal_checksum(job, sequence, at_us, record), for the migration.
void ChecksumFunction(sqlite3_context* context, int, sqlite3_value** arguments) {
  sqlite3_result_int64(context, ChecksumOf({.job = BytesOf(arguments[0]),
                                            .sequence = sqlite3_value_int64(arguments[1]),
                                            .at_us = sqlite3_value_int64(arguments[2]),
                                            .record = BytesOf(arguments[3])}));
}

}  // namespace

int64_t ChecksumOf(const JournalRow& row) {
  std::string before;  // The length keeps what ends one column from beginning the next.
  AppendLittleEndian64(row.job.size(), &before);
  std::string between;
  AppendLittleEndian64(static_cast<uint64_t>(row.sequence), &between);
  AppendLittleEndian64(static_cast<uint64_t>(row.at_us), &between);
  Sha256 hash;
  hash.Update(before);
  hash.Update(row.job);
  hash.Update(between);
  hash.Update(row.record);
  return static_cast<int64_t>(ReadLittleEndian64(hash.Current().Raw().data()));
}

bool HasChecksums(int64_t schema_version) { return schema_version >= kFirstVersionWithChecksums; }

bool HasFacts(int64_t schema_version) { return schema_version >= kFirstVersionWithFacts; }

absl::StatusOr<int64_t> CheckSchema(SqliteConnection& database, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const int64_t id, database.QueryInteger("PRAGMA application_id"));
  ENTENTE_ASSIGN_OR_RETURN(const int64_t version, database.QueryInteger("PRAGMA user_version"));
  ENTENTE_ASSIGN_OR_RETURN(const int64_t tables,
                           database.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return 0;
  if (id != kApplicationId || version < 1) {
    return absl::DataLossError(
        absl::StrCat(path,
                     " is a database, but not an Entente journal; nothing was changed: move it "
                     "away, or choose another dataDirectory"));
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was written by a newer Entente (schema ", version, ", this one knows ",
                     kSchemaVersion, "); nothing was changed: install that version"));
  }
  return version;
}

absl::Status MigrateSchema(SqliteConnection& database, int64_t version) {
  if (version == kSchemaVersion) return absl::OkStatus();
  sqlite3_create_function(database.get(), "journal_checksum", 4, SQLITE_UTF8, nullptr,
                          ChecksumFunction, nullptr, nullptr);
  std::string steps;
  for (auto step = static_cast<size_t>(version); step < kSteps.size(); ++step) {
    absl::StrAppend(&steps, kSteps[step]);
  }
  const absl::Status status = database.Execute(
      absl::StrCat("BEGIN EXCLUSIVE;", steps, "PRAGMA application_id = ", kApplicationId,
                   "; PRAGMA user_version = ", kSchemaVersion, "; COMMIT"));
  // The reason is in `status`; a transaction that failed may have been rolled back already.
  if (!status.ok()) database.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace entente::store
