// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/spool_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::updates {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SpoolCheckTest : public ::testing::Test {
 protected:
  absl::Status Check(uint32_t round_index, uint32_t attempt) {
    return CheckSpoolIsNotAhead(
        files_, folder_.File("spool"),
        {.job = JobId("toy.v2-k3x9qa"), .round_index = round_index, .attempt = attempt});
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(SpoolCheckTest, SpoolWithoutTheJobIsFine) { EXPECT_THAT(Check(0, 1), IsOk()); }

TEST_F(SpoolCheckTest, AttemptsUpToTheOneInFlightAreFine) {
  folder_.Write("spool/toy%2ev2-k3x9qa/2-3/fr-lab+w-00", "of an attempt that has ended");
  folder_.Write("spool/toy%2ev2-k3x9qa/10-1/fr-lab+w-00", "of the one in flight");
  folder_.Write("spool/toy%2ev2-k3x9qa/notes/text", "somebody's own");
  folder_.Write("spool/another-job/11-1/fr-lab+w-00", "of another job");

  EXPECT_THAT(Check(10, 1), IsOk());
}

TEST_F(SpoolCheckTest, LaterRoundShowsThatTheJournalLostItsEnd) {
  folder_.Write("spool/toy%2ev2-k3x9qa/2-1/fr-lab+w-00", "in flight by the journal");
  folder_.Write("spool/toy%2ev2-k3x9qa/9-1/fr-lab+w-00", "later");
  const std::string latest = folder_.Write("spool/toy%2ev2-k3x9qa/10-1/fr-lab+w-00", "latest");
  const std::string job_folder = folder_.File("spool/toy%2ev2-k3x9qa");

  EXPECT_THAT(
      Check(2, 1),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("the journal ends in round 3 attempt 1 of job toy.v2-k3x9qa"),
                     HasSubstr("/10-1 is of round 11 attempt 1: the journal has lost its end"),
                     HasSubstr("no update was removed"),
                     HasSubstr(absl::StrCat("move ", job_folder, "/9-1 and ", job_folder,
                                            "/10-1 elsewhere")))));
  EXPECT_TRUE(files_.Exists(latest));
}

TEST_F(SpoolCheckTest, LaterAttemptOfTheSameRoundShowsItToo) {
  folder_.Write("spool/toy%2ev2-k3x9qa/2-10/fr-lab+w-00", "update");

  EXPECT_THAT(Check(2, 9), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Check(2, 10), IsOk());
}

}  // namespace
}  // namespace entente::updates
