// SPDX-License-Identifier: Apache-2.0
// One process at a time on a journal.
#include <gmock/gmock.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/coordinator/store/sqlite_journal_fixture.h"

namespace entente::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using SqliteJournalLockTest = SqliteJournalTest;

TEST_F(SqliteJournalLockTest, LockThatCannotBeWrittenIsRefusedWithWhatToDo) {
  // In the place of a folder without permission, which does not keep root out.
  ASSERT_THAT(files_.CreateFolder(path_ + ".lock"), IsOk());

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(path_ + ".lock"),
                             HasSubstr("; dataDirectory must be a folder that this account may"))));
  EXPECT_FALSE(files_.Exists(path_));
}

TEST_F(SqliteJournalLockTest, SecondCoordinatorOnTheSameFileIsRefused) {
  ASSERT_OK_AND_ASSIGN(const auto first, SqliteJournal::Open(&files_, path_));

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("another process uses this data directory")));
}

TEST_F(SqliteJournalLockTest, DiskThatHasNoRoomForTheLockIsFull) {
  files_.bytes_left = 0;

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("cannot open the journal"), HasSubstr(path_))));
}

TEST_F(SqliteJournalLockTest, SecondCoordinatorIsToldTheFirstOnesProcess) {
  ASSERT_OK_AND_ASSIGN(const auto first, SqliteJournal::Open(&files_, path_));

  EXPECT_THAT(SqliteJournal::Open(&files_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(absl::StrCat("locked by process ", getpid(), ";"))));
  EXPECT_THAT(SqliteJournal::OpenForRead(&files_, path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(absl::StrCat("process ", getpid()))));
}

}  // namespace
}  // namespace entente::store
