// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/running_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class RunningCheckTest : public testing::Test {
 protected:
  Finding Examined(const std::string& lock_path) {
    Examination examination;
    CheckRunning(files_, lock_path, "worker", "worker.yaml", &examination);
    EXPECT_EQ(examination.findings().size(), 1U);
    return examination.findings()[0];
  }

  PosixFileSystem files_;
  TempFolder folder_;
};

TEST_F(RunningCheckTest, WhoHoldsTheLockRuns) {
  ASSERT_OK_AND_ASSIGN(const auto lock, files_.Lock(folder_.File("lock"), LockKind::kExclusive));

  const Finding finding = Examined(folder_.File("lock"));

  EXPECT_EQ(finding.name, "worker");
  EXPECT_EQ(finding.verdict, Verdict::kOk);
  EXPECT_THAT(finding.seen, HasSubstr(absl::StrCat("is locked by process ", getpid())));
}

TEST_F(RunningCheckTest, WhoNeverRanDoesNot) {
  const Finding finding = Examined(folder_.File("lock"));

  EXPECT_EQ(finding.verdict, Verdict::kWarn);
  EXPECT_EQ(finding.seen, "does not run");
  EXPECT_THAT(finding.fix, HasSubstr("entente-worker --config worker.yaml"));
}

TEST_F(RunningCheckTest, WhoWasKilledDoesNotRunThoughItsIdIsThere) {
  EXPECT_EQ(Examined(folder_.Write("lock", "1\n")).seen, "does not run");
}

TEST_F(RunningCheckTest, LockThatCannotBeOpenedIsNoStoppedWorker) {
  const std::string loop = folder_.File("loop");
  ASSERT_EQ(symlink(loop.c_str(), loop.c_str()), 0);

  const Finding finding = Examined(loop);

  EXPECT_EQ(finding.verdict, Verdict::kWarn);
  EXPECT_THAT(finding.seen, HasSubstr("may run or not: cannot open"));
}

TEST_F(RunningCheckTest, LookingKeepsNobodyFromStarting) {
  const std::string path = folder_.Write("lock", "");

  Examined(path);

  EXPECT_THAT(files_.Lock(path, LockKind::kExclusive), IsOk());
}

}  // namespace
}  // namespace entente::cli
