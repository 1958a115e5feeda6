// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_file_system.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "coordinator/store/sqlite_connection.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Access = SqliteFileSystem::Access;

// A database of SQLite's on our disk.
class SqliteFileSystemTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteConnection> Open(SqliteFileSystem& disk) {
    auto database = SqliteConnection::Open(&disk, path_);
    EXPECT_THAT(database, IsOk());
    return database.ok() ? *std::move(database) : nullptr;
  }

  static void MakeTable(SqliteConnection& database) {
    ASSERT_THAT(database.Execute("PRAGMA journal_mode = WAL"), IsOk());
    ASSERT_THAT(database.Execute("CREATE TABLE t (n INTEGER)"), IsOk());
  }

  static int64_t Count(SqliteConnection& database) {
    const auto count = database.QueryInteger("SELECT count(*) FROM t");
    EXPECT_THAT(count, IsOk());
    return count.ok() ? *count : -1;
  }

  const TempFolder folder_;
  const std::string path_ = folder_.File("db");
  FaultyFileSystem files_;
};

TEST_F(SqliteFileSystemTest, DatabaseLivesOnTheFileSystem) {
  {
    SqliteFileSystem disk(&files_, Access::kReadWrite);
    const auto database = Open(disk);
    MakeTable(*database);
    ASSERT_THAT(database->Execute("INSERT INTO t VALUES (1), (2)"), IsOk());
    EXPECT_TRUE(files_.Exists(path_ + "-wal"));
    EXPECT_FALSE(files_.Exists(path_ + "-shm"));
  }
  EXPECT_FALSE(files_.Exists(path_ + "-wal"));

  SqliteFileSystem disk(&files_, Access::kReadWrite);
  EXPECT_EQ(Count(*Open(disk)), 2);
}

TEST_F(SqliteFileSystemTest, TwoDisksAtOnceStayApart) {
  SqliteFileSystem first(&files_, Access::kReadWrite);
  SqliteFileSystem second(&files_, Access::kReadWrite);

  EXPECT_NE(first.name(), second.name());
  const auto database = Open(first);
  MakeTable(*database);
  EXPECT_THAT(first.TakeError(), IsOk());
}

TEST_F(SqliteFileSystemTest, FullDiskIsNamedAndTheNextWriteGoesOn) {
  SqliteFileSystem disk(&files_, Access::kReadWrite);
  const auto database = Open(disk);
  MakeTable(*database);

  files_.bytes_left = 100;
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("No space left"), HasSubstr(path_))));
  files_.bytes_left = int64_t{1} << 60;

  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (2)"), IsOk());
  EXPECT_THAT(disk.sync_status(), IsOk());
  EXPECT_EQ(Count(*database), 1);
}

TEST_F(SqliteFileSystemTest, NothingIsChangedAfterASyncThatFailed) {
  {
    SqliteFileSystem disk(&files_, Access::kReadWrite);
    const auto database = Open(disk);
    MakeTable(*database);
    ASSERT_THAT(database->Execute("INSERT INTO t VALUES (1)"), IsOk());

    files_.sync_fails = true;
    EXPECT_THAT(database->Execute("INSERT INTO t VALUES (2)"),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot sync")));
    files_.sync_fails = false;

    EXPECT_FALSE(database->Execute("INSERT INTO t VALUES (3)").ok());
    EXPECT_THAT(disk.sync_status(), StatusIs(absl::StatusCode::kUnavailable));
  }
  // Closing the database would have moved the log into it and removed it.
  EXPECT_TRUE(files_.Exists(path_ + "-wal"));
  SqliteFileSystem disk(&files_, Access::kReadWrite);
  EXPECT_GE(Count(*Open(disk)), 1);
}

TEST_F(SqliteFileSystemTest, ReadingChangesNothingNotEvenTheLog) {
  std::string log;
  std::string database_bytes;
  {
    SqliteFileSystem disk(&files_, Access::kReadWrite);
    const auto database = Open(disk);
    MakeTable(*database);
    ASSERT_THAT(database->Execute("INSERT INTO t VALUES (1)"), IsOk());
    log = *ReadTextFile(files_, path_ + "-wal", 8 << 20);
    database_bytes = *ReadTextFile(files_, path_, 1 << 20);
  }
  folder_.Write("db", database_bytes);
  folder_.Write("db-wal", log);
  files_.FailChange(1, FaultyFileSystem::Failure::kForGood);
  {
    SqliteFileSystem disk(&files_, Access::kRead);
    const auto database = Open(disk);
    EXPECT_EQ(Count(*database), 1);
    EXPECT_FALSE(database->Execute("INSERT INTO t VALUES (2)").ok());
  }

  EXPECT_FALSE(files_.Heal()) << "something was changed";
  EXPECT_EQ(*ReadTextFile(files_, path_ + "-wal", 8 << 20), log);
  EXPECT_EQ(*ReadTextFile(files_, path_, 1 << 20), database_bytes);
}

TEST_F(SqliteFileSystemTest, LogThatIsNotThereIsReadAsEmpty) {
  {
    SqliteFileSystem disk(&files_, Access::kReadWrite);
    MakeTable(*Open(disk));
  }
  SqliteFileSystem disk(&files_, Access::kRead);

  EXPECT_EQ(Count(*Open(disk)), 0);
  EXPECT_FALSE(files_.Exists(path_ + "-wal"));
}

}  // namespace
}  // namespace entente::store
