// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/log_mark.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "coordinator/store/journal_schema.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

class LogMarkTest : public ::testing::Test {
 protected:
  LogMarkTest() {
    EXPECT_THAT(database_->Execute("PRAGMA journal_mode = WAL"), IsOk());
    EXPECT_THAT(MigrateSchema(*database_, 0), IsOk());
  }

  // Whether the database has the mark by itself, without its log.
  bool IsMarkedAlone() {
    const std::string alone =
        folder_.Write("alone", *ReadTextFile(files_, folder_.File("db"), 8 << 20));
    SqliteFileSystem disk(&files_, SqliteFileSystem::Access::kRead);
    const auto database = SqliteConnection::Open(&disk, alone);
    EXPECT_THAT(database, IsOk());
    const auto version = CheckSchema(**database, alone);
    EXPECT_THAT(version, IsOk());
    const auto is_marked = HasLogMark(**database, version.value_or(0));
    EXPECT_THAT(is_marked, IsOk());
    return is_marked.value_or(false);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  SqliteFileSystem disk_{&files_, SqliteFileSystem::Access::kReadWrite};
  const std::unique_ptr<SqliteConnection> database_ =
      *SqliteConnection::Open(&disk_, folder_.File("db"));
};

TEST_F(LogMarkTest, IsReadWithoutTheLogOnceItIsSet) {
  EXPECT_FALSE(*HasLogMark(*database_, kSchemaVersion));
  EXPECT_FALSE(IsMarkedAlone());

  ASSERT_THAT(SetLogMark(*database_), IsOk());
  EXPECT_TRUE(*HasLogMark(*database_, kSchemaVersion));
  EXPECT_TRUE(IsMarkedAlone());
  EXPECT_THAT(SetLogMark(*database_), IsOk());

  ASSERT_THAT(ClearLogMark(*database_), IsOk());
  EXPECT_FALSE(*HasLogMark(*database_, kSchemaVersion));
  EXPECT_THAT(ClearLogMark(*database_), IsOk());
}

// As a start leaves it that was killed before the mark was moved into the database.
TEST_F(LogMarkTest, OneThatIsInTheLogAloneIsMovedIntoTheDatabase) {
  ASSERT_THAT(database_->Execute("INSERT INTO facts (name, value) VALUES ('log', 'needed')"),
              IsOk());
  ASSERT_FALSE(IsMarkedAlone());

  ASSERT_THAT(SetLogMark(*database_), IsOk());

  EXPECT_TRUE(IsMarkedAlone());
}

TEST_F(LogMarkTest, DatabaseOfBeforeHasNone) {
  ASSERT_THAT(database_->Execute("DROP TABLE facts"), IsOk());
  EXPECT_FALSE(*HasLogMark(*database_, 0));
  EXPECT_FALSE(*HasLogMark(*database_, 3));
}

}  // namespace
}  // namespace entente::store
