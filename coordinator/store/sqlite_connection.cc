// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_connection.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace entente::store {

void SqliteStatement::BindText(int index, absl::string_view text) {
  sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}

void SqliteStatement::BindBlob(int index, absl::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

void SqliteStatement::BindInteger(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
}

absl::string_view SqliteStatement::Text(int column) const {
  const auto* const text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

absl::string_view SqliteStatement::Blob(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

SqliteConnection::SqliteConnection(SqliteFileSystem* disk, std::string path, sqlite3* database)
    : disk_(*disk), path_(std::move(path)), database_(database) {}

SqliteConnection::~SqliteConnection() { sqlite3_close(database_); }

void SqliteConnection::MoveLogOnClose(bool moves) {
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, moves ? 0 : 1, nullptr);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(SqliteFileSystem* disk,
                                                                         const std::string& path) {
  sqlite3* database = nullptr;
  const int flags = disk->access() == SqliteFileSystem::Access::kReadWrite
                        ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                        : SQLITE_OPEN_READONLY;
  const int code =
      sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      disk->name().c_str());
  auto connection = absl::WrapUnique(new SqliteConnection(disk, path, database));
  if (code != SQLITE_OK) return connection->StatusOf(code, "open");
  // Without shared memory there is no other way to WAL; sorting must not want a file.
  ENTENTE_RETURN_IF_ERROR(connection->Execute("PRAGMA locking_mode = EXCLUSIVE"));
  ENTENTE_RETURN_IF_ERROR(connection->Execute("PRAGMA temp_store = MEMORY"));
  return connection;
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : StatusOf(code, "set up");
}

absl::StatusOr<SqliteStatement> SqliteConnection::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr);
  if (code != SQLITE_OK) return StatusOf(code, "query");
  return SqliteStatement(statement);
}

absl::StatusOr<int64_t> SqliteConnection::QueryInteger(const std::string& sql) {
  ENTENTE_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  const int code = statement.Step();
  if (code != SQLITE_ROW) return StatusOf(code, "read");
  return statement.Integer(0);
}

absl::Status SqliteConnection::StatusOf(int code, absl::string_view what) {
  const absl::Status disk_said = disk_.TakeError();
  const std::string reason(!disk_said.ok()        ? disk_said.message()
                           : database_ != nullptr ? sqlite3_errmsg(database_)
                                                  : sqlite3_errstr(code));
  const std::string message = absl::StrCat("cannot ", what, " the journal ", path_, ": ", reason);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(disk_said.ok() ? message + "; free some space" : message);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return absl::DataLossError(absl::StrCat("the journal ", path_, " is damaged (", reason,
                                              "); put back a copy of the whole data directory"));
    case SQLITE_CONSTRAINT:
      return absl::AbortedError(message + "; another coordinator has written this event");
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace entente::store
