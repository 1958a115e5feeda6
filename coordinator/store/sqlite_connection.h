// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_STORE_SQLITE_CONNECTION_H_
#define COORDINATOR_STORE_SQLITE_CONNECTION_H_

// One connection to a SQLite database on a SqliteFileSystem, with errors that say what the disk
// said.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coordinator/store/sqlite_file_system.h"

namespace entente::store {

// A prepared statement. What is bound must live until it is stepped to its end. Not thread-safe.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement, &sqlite3_finalize) {}

  void BindText(int index, absl::string_view text);
  void BindBlob(int index, absl::string_view bytes);
  void BindInteger(int index, int64_t value);

  // SQLITE_ROW, SQLITE_DONE or an error.
  int Step() { return sqlite3_step(statement_.get()); }
  // Of the row; views are good until the next step.
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  absl::string_view Text(int column) const;
  absl::string_view Blob(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

// Not thread-safe.
class SqliteConnection {
 public:
  // Opens the database, or makes it if the disk may be written; the first query reads it. `disk` is
  // borrowed.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(SqliteFileSystem* disk,
                                                                const std::string& path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs statements that give no rows.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<SqliteStatement> Prepare(const std::string& sql);
  // The first column of the first row.
  absl::StatusOr<int64_t> QueryInteger(const std::string& sql);

  // Of SQLite's error `code`, from the last call: RESOURCE_EXHAUSTED for a full disk, DATA_LOSS for
  // what is no database or damaged, ABORTED for a row that is there already, else UNAVAILABLE.
  // "cannot <what> the journal <path>: ..." or "the journal <path> is damaged (...)".
  absl::Status StatusOf(int code, absl::string_view what);

  // Whether closing moves the log into the database and removes it, as it does unless told not to.
  void MoveLogOnClose(bool moves);

  sqlite3* get() const { return database_; }

 private:
  SqliteConnection(SqliteFileSystem* disk, std::string path, sqlite3* database);

  SqliteFileSystem& disk_;
  const std::string path_;
  sqlite3* const database_;
};

}  // namespace entente::store

#endif  // COORDINATOR_STORE_SQLITE_CONNECTION_H_
