// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_connection.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteConnectionTest : public ::testing::Test {
 protected:
  SqliteConnectionTest() : database_(*SqliteConnection::Open(&disk_, folder_.File("db"))) {
    EXPECT_THAT(database_->Execute("CREATE TABLE t (n INTEGER UNIQUE, text TEXT, bytes BLOB)"),
                IsOk());
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  SqliteFileSystem disk_{&files_, SqliteFileSystem::Access::kReadWrite};
  const std::unique_ptr<SqliteConnection> database_;
};

TEST_F(SqliteConnectionTest, WhatIsBoundComesBack) {
  {
    ASSERT_OK_AND_ASSIGN(SqliteStatement insert,
                         database_->Prepare("INSERT INTO t VALUES (?, ?, ?)"));
    insert.BindInteger(1, -7);
    insert.BindText(2, "caf\xc3\xa9");
    insert.BindBlob(3, absl::string_view("a\0b", 3));
    ASSERT_EQ(insert.Step(), SQLITE_DONE);
  }

  ASSERT_OK_AND_ASSIGN(SqliteStatement select, database_->Prepare("SELECT n, text, bytes FROM t"));
  ASSERT_EQ(select.Step(), SQLITE_ROW);
  EXPECT_EQ(select.Integer(0), -7);
  EXPECT_EQ(select.Text(1), "caf\xc3\xa9");
  EXPECT_EQ(select.Blob(2), absl::string_view("a\0b", 3));
}

TEST_F(SqliteConnectionTest, EmptyValuesAreEmpty) {
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1, NULL, NULL)"), IsOk());

  ASSERT_OK_AND_ASSIGN(SqliteStatement select, database_->Prepare("SELECT text, bytes FROM t"));
  ASSERT_EQ(select.Step(), SQLITE_ROW);
  EXPECT_EQ(select.Text(0), "");
  EXPECT_EQ(select.Blob(1), "");
}

TEST_F(SqliteConnectionTest, RowThatIsThereAlreadyIsAborted) {
  ASSERT_THAT(database_->Execute("INSERT INTO t (n) VALUES (1)"), IsOk());

  EXPECT_THAT(database_->Execute("INSERT INTO t (n) VALUES (1)"),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("another coordinator")));
}

TEST_F(SqliteConnectionTest, WrongQueryNamesTheFile) {
  EXPECT_THAT(database_->Prepare("SELECT n FROM nowhere"),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(folder_.File("db")), HasSubstr("nowhere"))));
}

TEST_F(SqliteConnectionTest, FileOfSomethingElseIsDataLoss) {
  const std::string path = folder_.Write("other", std::string(8192, 'x'));
  const auto database = SqliteConnection::Open(&disk_, path);

  ASSERT_THAT(database, IsOk());
  EXPECT_THAT((*database)->QueryInteger("PRAGMA user_version"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
}

}  // namespace
}  // namespace entente::store
