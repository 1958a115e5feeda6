// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_log_check.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/store/sqlite_connection.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kFrameBytes = 24 + 4096;
constexpr int kCommits = 5;
constexpr size_t kCommittedBytes = 32 + kCommits * kFrameBytes;

class SqliteLogCheckTest : public ::testing::Test {
 protected:
  // A log of five commits of one page each, as SQLite itself writes it.
  SqliteLogCheckTest() {
    EXPECT_THAT(database_->Execute("PRAGMA journal_mode = WAL"), IsOk());
    EXPECT_THAT(database_->Execute("CREATE TABLE t (n INTEGER)"), IsOk());
    Restart();
  }

  // The next such log, in the place of the one before.
  void Restart() {
    EXPECT_THAT(database_->Execute("PRAGMA wal_checkpoint(RESTART)"), IsOk());
    for (int i = 0; i < kCommits; ++i) {
      EXPECT_THAT(database_->Execute(absl::StrCat("INSERT INTO t VALUES (", i, ")")), IsOk());
    }
    // Without the zeros that the log is made long with.
    log_ = ReadTextFile(files_, folder_.File("db-wal"), 8 << 20)->substr(0, kCommittedBytes);
  }

  absl::Status Check(const std::string& log) {
    folder_.Write("damaged-wal", log);
    return CheckSqliteLog(files_, folder_.File("damaged")).status();
  }
  uint64_t HeldBytes(const std::string& database) {
    const auto bytes = CheckSqliteLog(files_, folder_.File(database));
    EXPECT_THAT(bytes, IsOk());
    return bytes.value_or(UINT64_MAX);
  }
  // The log with one bit of the frame, counted from 0, turned over.
  std::string Flipped(size_t frame, size_t byte) const {
    std::string log = log_;
    log[32 + frame * kFrameBytes + byte] ^= 1;
    return log;
  }

  const TempFolder folder_;
  PosixFileSystem files_;
  SqliteFileSystem disk_{&files_, SqliteFileSystem::Access::kReadWrite};
  const std::unique_ptr<SqliteConnection> database_ =
      *SqliteConnection::Open(&disk_, folder_.File("db"));
  std::string log_;
};

TEST_F(SqliteLogCheckTest, WholeLogAndNoLogAreFine) {
  EXPECT_EQ(log_.size(), kCommittedBytes);
  EXPECT_THAT(Check(log_), IsOk());
  EXPECT_THAT(Check(""), IsOk());
  EXPECT_EQ(HeldBytes("nothing"), 0);
}

TEST_F(SqliteLogCheckTest, BytesThatHoldEndAtTheFirstThatDoNot) {
  folder_.Write("cut-wal", log_);
  EXPECT_EQ(HeldBytes("cut"), kCommittedBytes);
  folder_.Write("cut-wal", Flipped(kCommits - 1, 1000));
  EXPECT_EQ(HeldBytes("cut"), kCommittedBytes - kFrameBytes);
}

TEST_F(SqliteLogCheckTest, WholeLogIsWrittenAgainAndSyncedAndIsTheSame) {
  FaultyFileSystem disk;
  const std::string database = folder_.File("same");
  const std::string log = log_ + std::string(3 << 20, '\0');  // Four pieces of a MiB.
  for (int change = 1; change <= 5; ++change) {
    const std::string path = folder_.Write("same-wal", log);
    disk.FailChange(change, FaultyFileSystem::Failure::kOnce);
    EXPECT_THAT(WriteLogAgain(disk, database), StatusIs(absl::StatusCode::kUnavailable)) << change;
    EXPECT_TRUE(disk.Heal());
    EXPECT_EQ(*ReadTextFile(files_, path, 8 << 20), log);
  }
  disk.FailChange(6, FaultyFileSystem::Failure::kOnce);
  EXPECT_THAT(WriteLogAgain(disk, database), IsOk());
  EXPECT_THAT(WriteLogAgain(disk, folder_.File("nothing")), IsOk());
  EXPECT_FALSE(files_.Exists(folder_.File("nothing-wal")));
}

TEST_F(SqliteLogCheckTest, LogOfAMarkedDatabaseIsThereInItsWholeLengthAndBeginsAsOne) {
  const std::string whole = log_ + std::string(kLogBytes - log_.size(), '\0');
  const auto told = [this](const std::string& log) {
    folder_.Write("made-wal", log);
    return CheckLogIsMade(files_, folder_.File("made"));
  };
  EXPECT_THAT(told(whole), IsOk());
  EXPECT_THAT(told(""), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("made-wal was lost")));
  EXPECT_THAT(told(whole.substr(1)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off (4718591 of 4718592")));
  for (size_t byte = 0; byte < 32; ++byte) {
    std::string changed = whole;
    changed[byte] ^= 0x40;
    const bool is_told = byte < 12;  // What follows is another in the next header.
    EXPECT_EQ(absl::IsDataLoss(told(changed)), is_told) << byte;
  }
  EXPECT_THAT(told(std::string(kLogBytes, '\0')),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("made-wal was overwritten")));
  EXPECT_THAT(CheckLogIsMade(files_, folder_.File("nothing")),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SqliteLogCheckTest, LogCutAnywhereIsACrash) {
  for (size_t size = 0; size < log_.size(); size += 1000) {
    EXPECT_THAT(Check(log_.substr(0, size)), IsOk()) << size;
  }
}

TEST_F(SqliteLogCheckTest, DamageToTheLastCommitIsACrash) {
  EXPECT_THAT(Check(Flipped(kCommits - 1, 1000)), IsOk());
}

TEST_F(SqliteLogCheckTest, FlippedBitBeforeCommitsThatWereSyncedIsDataLoss) {
  for (size_t frame = 0; frame + 1 < kCommits; ++frame) {
    EXPECT_THAT(
        Check(Flipped(frame, 1000)),
        StatusIs(absl::StatusCode::kDataLoss,
                 AllOf(HasSubstr(absl::StrCat("damaged at byte ", 32 + frame * kFrameBytes)),
                       HasSubstr("put back a copy"))))
        << frame;
  }
}

TEST_F(SqliteLogCheckTest, FlippedBitInAFramesOwnHeaderIsDataLoss) {
  // The last commit but one: nothing but its own commit and the last one's tells. Without the bit
  // that makes it a commit it could be the torn beginning of the last one.
  constexpr size_t kCommitBit = 57;
  for (size_t bit = 0; bit < 24 * 8; ++bit) {
    if (bit == kCommitBit) continue;
    std::string log = log_;
    char& byte = log[32 + (kCommits - 2) * kFrameBytes + bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    EXPECT_THAT(Check(log), StatusIs(absl::StatusCode::kDataLoss)) << bit;
  }
}

TEST_F(SqliteLogCheckTest, CrashAfterCrashIsNoDataLoss) {
  // A transaction of several pages is torn: its commit is on the disk, its first page is not.
  ASSERT_THAT(database_->Execute("CREATE TABLE big (b BLOB)"), IsOk());
  const std::string before = *ReadTextFile(files_, folder_.File("db-wal"), 8 << 20);
  ASSERT_THAT(database_->Execute("INSERT INTO big VALUES (zeroblob(20000))"), IsOk());
  std::string torn = *ReadTextFile(files_, folder_.File("db-wal"), 8 << 20);
  const size_t at = static_cast<size_t>(
      std::mismatch(before.begin(), before.end(), torn.begin()).first - before.begin());
  torn[at + 1000] ^= 1;
  EXPECT_THAT(Check(torn), IsOk());

  // A shorter one takes its place, and is torn in the next crash.
  folder_.Write("again", *ReadTextFile(files_, folder_.File("db"), 8 << 20));
  folder_.Write("again-wal", torn);
  const auto again = SqliteConnection::Open(&disk_, folder_.File("again"));
  ASSERT_THAT(again, IsOk());
  ASSERT_THAT((*again)->Execute("INSERT INTO t VALUES (7)"), IsOk());
  std::string torn_again = *ReadTextFile(files_, folder_.File("again-wal"), 8 << 20);
  EXPECT_THAT(Check(torn_again), IsOk());
  torn_again[at + 2000] ^= 1;

  EXPECT_THAT(Check(torn_again), IsOk());
}

TEST_F(SqliteLogCheckTest, FramesOfAnEarlierLogAreNone) {
  // The table was made by commits that lie, with other salts, behind those of the present log, if
  // it is the shorter one.
  std::string log = log_.substr(0, 32 + kFrameBytes);
  std::string old = log_.substr(32 + kFrameBytes);
  for (size_t at = 8; at < old.size(); at += kFrameBytes) old[at] ^= 1;
  EXPECT_THAT(Check(log + old), IsOk());
}

TEST_F(SqliteLogCheckTest, FlippedBitInTheHeaderIsDataLoss) {
  for (size_t bit = 0; bit < 32 * 8; ++bit) {
    std::string log = log_;
    log[bit / 8] = static_cast<char>(log[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(Check(log),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("damaged at byte 0,"), HasSubstr("put back a copy"))))
        << bit;
  }
}

TEST_F(SqliteLogCheckTest, LostHeaderIsDataLoss) {
  std::string log = log_;
  log.replace(0, 32, 32, '\0');

  EXPECT_THAT(Check(log), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SqliteLogCheckTest, HeaderTornAnywhereIsACrashInARestartOfTheLog) {
  const std::string old = log_;
  Restart();
  ASSERT_NE(log_.substr(0, 32), old.substr(0, 32));
  folder_.Write("damaged", *ReadTextFile(files_, folder_.File("db"), 8 << 20));
  for (size_t begin = 0; begin <= 32; ++begin) {
    for (size_t end = begin; end <= 32; ++end) {
      std::string torn = old;
      torn.replace(begin, end - begin, log_, begin, end - begin);
      EXPECT_THAT(Check(torn), IsOk()) << begin << " to " << end;
    }
  }
}

TEST_F(SqliteLogCheckTest, HeaderThatIsNotWholeIsDataLossIfTheDatabaseLacksAPageOfTheLog) {
  const std::string empty = *ReadTextFile(files_, folder_.File("db"), 8 << 20);
  std::string old = log_;
  Restart();
  old.replace(0, 16, log_, 0, 16);
  std::string database = *ReadTextFile(files_, folder_.File("db"), 8 << 20);
  folder_.Write("damaged", database);
  ASSERT_THAT(Check(old), IsOk());

  folder_.Write("damaged", empty);
  EXPECT_THAT(Check(old), StatusIs(absl::StatusCode::kDataLoss));
  folder_.Write("damaged", database.substr(0, database.size() - 1));
  EXPECT_THAT(Check(old), StatusIs(absl::StatusCode::kDataLoss));
  database.back() ^= 1;
  folder_.Write("damaged", database);
  EXPECT_THAT(Check(old), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entente::store
