// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_journal.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::store {
namespace {

// 2: failed workers, encodings beyond bf16. 3: recipes that download bf16 or compress, paused jobs,
// skipped workers, checkpoints.
constexpr int kSchemaVersion = 3;
constexpr int kApplicationId =
    0x456e7465;  // "Ente", for file(1) and for telling a foreign database.

constexpr char kSchema[] = R"(
  CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    job      TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    record   BLOB    NOT NULL,
    UNIQUE (job, sequence)
  ) STRICT;
)";

// Makes the log as long as it gets before SQLite begins it anew. To sync a block that is there
// takes a tenth of the time that a file system needs to sync one that it has to find first; without
// this the first thousand pages of every start are slow. That the table is there for a moment does
// not matter, nor that a crash leaves it for the next start.
constexpr char kMakeRoom[] = R"(
  CREATE TABLE IF NOT EXISTS room (bytes BLOB NOT NULL) STRICT;
  INSERT INTO room VALUES (zeroblob(4 << 20));
  DROP TABLE room;
  PRAGMA wal_checkpoint(RESTART);
)";

absl::Status SqliteStatus(sqlite3* database, int code, absl::string_view what,
                          const std::string& path) {
  const std::string message =
      absl::StrCat("cannot ", what, " the journal ", path, ": ",
                   database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message + "; free some space");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::FailedPreconditionError(
          absl::StrCat("another coordinator is running on this data directory: the journal ", path,
                       " is locked; stop that one or choose another dataDirectory"));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return absl::DataLossError(message);
    case SQLITE_CONSTRAINT:
      return absl::AbortedError(message + "; another coordinator has written this event");
    default:
      return absl::UnavailableError(message);
  }
}

// A prepared statement.
class Statement {
 public:
  static absl::StatusOr<Statement> Prepare(sqlite3* database, const char* sql,
                                           const std::string& path) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteStatus(database, code, "query", path);
    return Statement(statement);
  }
  explicit Statement(sqlite3_stmt* statement) : statement_(statement, &sqlite3_finalize) {}
  sqlite3_stmt* get() const { return statement_.get(); }

 private:
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

// `text` must outlive the statement's steps.
void BindText(const Statement& statement, int place, const std::string& text) {
  sqlite3_bind_text(statement.get(), place, text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}

absl::Status Execute(sqlite3* database, const char* sql, const std::string& path) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteStatus(database, code, "set up", path);
}

absl::StatusOr<int> ReadPragma(sqlite3* database, const char* pragma, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const Statement statement, Statement::Prepare(database, pragma, path));
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW) return SqliteStatus(database, code, "read", path);
  return sqlite3_column_int(statement.get(), 0);
}

// The entry of a row whose first columns are job, sequence, at_us and record.
absl::StatusOr<JournalEntry> EntryAt(sqlite3_stmt* row, const std::string& path) {
  JournalEntry entry;
  entry.job = JobId(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
  entry.sequence = static_cast<uint64_t>(sqlite3_column_int64(row, 1));
  entry.at = absl::FromUnixMicros(sqlite3_column_int64(row, 2));
  if (!entry.record.ParseFromArray(sqlite3_column_blob(row, 3), sqlite3_column_bytes(row, 3))) {
    return absl::DataLossError(absl::StrCat("event ", entry.sequence, " of job ", entry.job.value(),
                                            " in ", path, " cannot be read"));
  }
  return entry;
}

// What `statement` finds, whose fifth column is the id.
absl::StatusOr<std::vector<PlacedEntry>> ReadAll(sqlite3* database, const Statement& statement,
                                                 const std::string& path) {
  std::vector<PlacedEntry> found;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    ENTENTE_ASSIGN_OR_RETURN(JournalEntry entry, EntryAt(statement.get(), path));
    found.push_back({.position = static_cast<uint64_t>(sqlite3_column_int64(statement.get(), 4)),
                     .entry = std::move(entry)});
  }
  if (code != SQLITE_DONE) return SqliteStatus(database, code, "read", path);
  return found;
}

// SQLite's integers are signed, and nothing of ours reaches so far.
sqlite3_int64 ClampedNumber(uint64_t number) {
  constexpr auto kLargest = uint64_t{INT64_MAX};
  return static_cast<sqlite3_int64>(std::min(number, kLargest));
}

// Locks the file for good, then makes the schema or checks that it is ours.
absl::Status Prepare(sqlite3* database, const std::string& path, Durability durability) {
  // Before the first read, so that the lock is taken with it and a second coordinator is refused.
  ENTENTE_RETURN_IF_ERROR(Execute(database, "PRAGMA locking_mode = EXCLUSIVE", path));
  ENTENTE_ASSIGN_OR_RETURN(const int id, ReadPragma(database, "PRAGMA application_id", path));
  ENTENTE_ASSIGN_OR_RETURN(const int version, ReadPragma(database, "PRAGMA user_version", path));
  ENTENTE_ASSIGN_OR_RETURN(const int tables,
                           ReadPragma(database, "SELECT count(*) FROM sqlite_schema", path));
  if (tables > 0 && id != kApplicationId) {
    return absl::DataLossError(absl::StrCat(path, " is a database, but not an Entente journal"));
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was written by a newer Entente (schema ", version, ", this one knows ",
                     kSchemaVersion, "); install that version"));
  }
  ENTENTE_RETURN_IF_ERROR(Execute(database, "PRAGMA journal_mode = WAL", path));
  ENTENTE_RETURN_IF_ERROR(Execute(database,
                                  durability == Durability::kPowerLoss ? "PRAGMA synchronous = FULL"
                                                                       : "PRAGMA synchronous = OFF",
                                  path));
  // Older records are all still read; an older version must not read ours.
  const std::string make_schema =
      tables > 0 ? "" : absl::StrCat(kSchema, "PRAGMA application_id = ", kApplicationId, ";");
  ENTENTE_RETURN_IF_ERROR(Execute(database,
                                  absl::StrCat("BEGIN EXCLUSIVE;", make_schema,
                                               "PRAGMA user_version = ", kSchemaVersion, "; COMMIT")
                                      .c_str(),
                                  path));
  return Execute(database, kMakeRoom, path);
}

}  // namespace

SqliteJournal::SqliteJournal(std::string path, sqlite3* database)
    : path_(std::move(path)), database_(database) {}

SqliteJournal::~SqliteJournal() {
  absl::MutexLock lock(&mu_);
  sqlite3_close(database_);
}

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const std::string& path,
                                                                   Durability durability) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  absl::Status status = code == SQLITE_OK ? Prepare(database, path, durability)
                                          : SqliteStatus(database, code, "open", path);
  if (!status.ok()) {
    sqlite3_close(database);
    return status;
  }
  return std::unique_ptr<SqliteJournal>(new SqliteJournal(path, database));
}

absl::Status SqliteJournal::Append(const JournalEntry& entry) {
  const std::string record = entry.record.SerializeAsString();
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(
      const Statement statement,
      Statement::Prepare(database_,
                         "INSERT INTO events (job, sequence, at_us, record) VALUES (?, ?, ?, ?)",
                         path_));
  BindText(statement, 1, entry.job.value());
  sqlite3_bind_int64(statement.get(), 2, static_cast<sqlite3_int64>(entry.sequence));
  sqlite3_bind_int64(statement.get(), 3, absl::ToUnixMicros(entry.at));
  sqlite3_bind_blob64(statement.get(), 4, record.data(), record.size(), SQLITE_STATIC);
  const int code = sqlite3_step(statement.get());
  return code == SQLITE_DONE ? absl::OkStatus() : SqliteStatus(database_, code, "write", path_);
}

absl::Status SqliteJournal::Replay(
    const std::function<absl::Status(const JournalEntry&)>& visit) const {
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(const Statement statement,
                           Statement::Prepare(database_,
                                              "SELECT job, sequence, at_us, record FROM events"
                                              " ORDER BY MIN(id) OVER (PARTITION BY job), sequence",
                                              path_));
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    ENTENTE_ASSIGN_OR_RETURN(const JournalEntry entry, EntryAt(statement.get(), path_));
    ENTENTE_RETURN_IF_ERROR(visit(entry));
  }
  return code == SQLITE_DONE ? absl::OkStatus() : SqliteStatus(database_, code, "read", path_);
}

absl::StatusOr<std::vector<PlacedEntry>> SqliteJournal::ReadBack(const JobId& job,
                                                                 uint64_t position,
                                                                 uint32_t count_max) const {
  // Of one job its own order does, for which there is an index.
  const char* const sql = job.empty()
                              ? "SELECT job, sequence, at_us, record, id FROM events"
                                " WHERE id < ?2 ORDER BY id DESC LIMIT ?3"
                              : "SELECT job, sequence, at_us, record, id FROM events"
                                " WHERE job = ?1 AND id < ?2 ORDER BY sequence DESC LIMIT ?3";
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(const Statement statement, Statement::Prepare(database_, sql, path_));
  if (!job.empty()) BindText(statement, 1, job.value());
  sqlite3_bind_int64(statement.get(), 2, position == 0 ? INT64_MAX : ClampedNumber(position));
  sqlite3_bind_int64(statement.get(), 3, count_max);
  return ReadAll(database_, statement, path_);
}

absl::StatusOr<std::vector<PlacedEntry>> SqliteJournal::ReadOn(const JobId& job, uint64_t sequence,
                                                               uint32_t count_max) const {
  absl::MutexLock lock(&mu_);
  ENTENTE_ASSIGN_OR_RETURN(const Statement statement,
                           Statement::Prepare(database_,
                                              "SELECT job, sequence, at_us, record, id FROM events"
                                              " WHERE job = ?1 AND sequence >= ?2"
                                              " ORDER BY sequence LIMIT ?3",
                                              path_));
  BindText(statement, 1, job.value());
  sqlite3_bind_int64(statement.get(), 2, ClampedNumber(sequence));
  sqlite3_bind_int64(statement.get(), 3, count_max);
  return ReadAll(database_, statement, path_);
}

}  // namespace entente::store
