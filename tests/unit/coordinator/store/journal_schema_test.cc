// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/journal_schema.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// As the first released program made it.
constexpr char kVersion1[] = R"(
  CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    job      TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    at_us    INTEGER NOT NULL,
    record   BLOB    NOT NULL,
    UNIQUE (job, sequence)
  ) STRICT;
  INSERT INTO events (job, sequence, at_us, record) VALUES ('a', 1, 1700000000000000, x'1a00');
  INSERT INTO events (job, sequence, at_us, record) VALUES ('a', 2, 1700000000000001, x'1a0161');
  PRAGMA application_id = 0x456e7465;
  PRAGMA user_version = 1;
)";

class JournalSchemaTest : public ::testing::Test {
 protected:
  const TempFolder folder_;
  const std::string path_ = folder_.File("db");
  PosixFileSystem files_;
  SqliteFileSystem disk_{&files_, SqliteFileSystem::Access::kReadWrite};
  const std::unique_ptr<SqliteConnection> database_ = *SqliteConnection::Open(&disk_, path_);
};

TEST_F(JournalSchemaTest, EmptyDatabaseGetsTheNewestTables) {
  EXPECT_EQ(*CheckSchema(*database_, path_), 0);

  ASSERT_THAT(MigrateSchema(*database_, 0), IsOk());

  EXPECT_EQ(*CheckSchema(*database_, path_), kSchemaVersion);
  EXPECT_EQ(*database_->QueryInteger("SELECT count(checksum) FROM events"), 0);
}

TEST_F(JournalSchemaTest, MigratingTwiceIsMigratingOnce) {
  ASSERT_THAT(MigrateSchema(*database_, 0), IsOk());

  EXPECT_THAT(MigrateSchema(*database_, kSchemaVersion), IsOk());
}

TEST_F(JournalSchemaTest, VersionOneGetsChecksumsAndKeepsItsRows) {
  ASSERT_THAT(database_->Execute(kVersion1), IsOk());
  ASSERT_EQ(*CheckSchema(*database_, path_), 1);

  ASSERT_THAT(MigrateSchema(*database_, 1), IsOk());

  EXPECT_EQ(*CheckSchema(*database_, path_), kSchemaVersion);
  ASSERT_OK_AND_ASSIGN(SqliteStatement rows,
                       database_->Prepare("SELECT record, checksum FROM events ORDER BY sequence"));
  ASSERT_EQ(rows.Step(), SQLITE_ROW);
  EXPECT_EQ(rows.Blob(0), absl::string_view("\x1a\0", 2));
  EXPECT_EQ(rows.Integer(1), ChecksumOf({.job = "a",
                                         .sequence = 1,
                                         .at_us = 1'700'000'000'000'000,
                                         .record = absl::string_view("\x1a\0", 2)}));
  ASSERT_EQ(rows.Step(), SQLITE_ROW);
  EXPECT_EQ(rows.Blob(0),
            "\x1a\x01"
            "a");
  EXPECT_EQ(rows.Step(), SQLITE_DONE);
}

// Its tables are today's, but it has records that a program of before cannot read.
TEST_F(JournalSchemaTest, VersionFourIsBroughtUpToDateAndKeepsItsRows) {
  ASSERT_THAT(MigrateSchema(*database_, 0), IsOk());
  ASSERT_THAT(database_->Execute("INSERT INTO events (job, sequence, at_us, record, checksum) "
                                 "VALUES ('a', 1, 2, x'1a00', 7);"
                                 "PRAGMA user_version = 4"),
              IsOk());

  ASSERT_THAT(MigrateSchema(*database_, 4), IsOk());

  EXPECT_EQ(*CheckSchema(*database_, path_), kSchemaVersion);
  EXPECT_EQ(*database_->QueryInteger("SELECT checksum FROM events"), 7);
}

// The same of the last version of before the coordinator's starts were noted.
TEST_F(JournalSchemaTest, VersionSixIsBroughtUpToDateSoThatItsProgramRefusesTheJournal) {
  ASSERT_THAT(MigrateSchema(*database_, 0), IsOk());
  ASSERT_THAT(database_->Execute("INSERT INTO events (job, sequence, at_us, record, checksum) "
                                 "VALUES ('a', 1, 2, x'1a00', 7);"
                                 "PRAGMA user_version = 6"),
              IsOk());
  ASSERT_EQ(*CheckSchema(*database_, path_), 6);

  ASSERT_THAT(MigrateSchema(*database_, 6), IsOk());

  EXPECT_GT(*CheckSchema(*database_, path_), 6);
  EXPECT_EQ(*database_->QueryInteger("SELECT checksum FROM events"), 7);
}

TEST_F(JournalSchemaTest, WhatAStartOfVersionThreeLeftIsGone) {
  ASSERT_THAT(database_->Execute(kVersion1), IsOk());
  ASSERT_THAT(database_->Execute("CREATE TABLE room (bytes BLOB NOT NULL) STRICT;"
                                 "PRAGMA user_version = 3"),
              IsOk());

  ASSERT_THAT(MigrateSchema(*database_, 3), IsOk());

  EXPECT_EQ(*CheckSchema(*database_, path_), kSchemaVersion);
  EXPECT_EQ(*database_->QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name = 'room'"), 0);
  EXPECT_EQ(*database_->QueryInteger("SELECT count(*) FROM events WHERE checksum <> 0"), 2);
}

TEST_F(JournalSchemaTest, StepThatFailsLeavesEverythingAsItWas) {
  ASSERT_THAT(database_->Execute(kVersion1), IsOk());
  ASSERT_THAT(database_->Execute("CREATE TABLE facts (x)"),
              IsOk());  // In the way of the last step.

  EXPECT_FALSE(MigrateSchema(*database_, 1).ok());

  EXPECT_EQ(*CheckSchema(*database_, path_), 1);
  EXPECT_FALSE(database_->QueryInteger("SELECT count(checksum) FROM events").ok());
}

TEST_F(JournalSchemaTest, NewerTablesAreRefusedByTheirNumber) {
  ASSERT_THAT(MigrateSchema(*database_, 0), IsOk());
  ASSERT_THAT(database_->Execute("PRAGMA user_version = 99"), IsOk());

  EXPECT_THAT(CheckSchema(*database_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("schema 99"), HasSubstr("install that version"))));
}

TEST_F(JournalSchemaTest, AnotherProgramsDatabaseIsDataLoss) {
  ASSERT_THAT(database_->Execute("CREATE TABLE phone_numbers (n TEXT)"), IsOk());

  EXPECT_THAT(CheckSchema(*database_, path_),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_), HasSubstr("not an Entente journal"))));
}

TEST(JournalChecksumTest, EveryColumnCounts) {
  const JournalRow row{.job = "job", .sequence = 3, .at_us = 5, .record = "record"};
  JournalRow other = row;
  other.job = "jobr";
  other.record = "ecord";
  EXPECT_NE(ChecksumOf(row), ChecksumOf(other));
  other = row;
  other.sequence = 4;
  EXPECT_NE(ChecksumOf(row), ChecksumOf(other));
  other = row;
  other.at_us = 6;
  EXPECT_NE(ChecksumOf(row), ChecksumOf(other));
  other = row;
  other.record = "recorD";
  EXPECT_NE(ChecksumOf(row), ChecksumOf(other));
  EXPECT_EQ(ChecksumOf(row), ChecksumOf(JournalRow(row)));
}

// What is on disks already must stay readable.
TEST(JournalChecksumTest, IsWhatItWasInTheFirstVersionThatHadIt) {
  EXPECT_EQ(ChecksumOf({.job = "a", .sequence = 1, .at_us = 2, .record = "r"}),
            -1'229'884'454'390'713'685);
}

}  // namespace
}  // namespace entente::store
