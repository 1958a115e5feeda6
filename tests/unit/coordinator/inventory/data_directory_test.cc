// SPDX-License-Identifier: Apache-2.0
#include "coordinator/inventory/data_directory.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::inventory {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class JournalIsThereTest : public ::testing::Test {
 protected:
  absl::Status Check() { return CheckJournalIsThere(files_, folder_.path()); }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(JournalIsThereTest, NewDirectoryNeedsNone) {
  EXPECT_THAT(CheckJournalIsThere(files_, folder_.File("nothing")), IsOk());
  EXPECT_THAT(Check(), IsOk());
  ASSERT_THAT(files_.CreateFolder(folder_.File("models")), IsOk());
  ASSERT_THAT(files_.CreateFolder(folder_.File("spool")), IsOk());
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(JournalIsThereTest, ModelsWithoutTheirJournalAreRefused) {
  folder_.Write("models/abc", "model");
  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr(folder_.File("journal.sqlite") + " is missing"),
                                      HasSubstr(folder_.File("models")),
                                      HasSubstr("put the journal back"))));

  folder_.Write("journal.sqlite", "x");
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(JournalIsThereTest, UpdatesWithAnEmptyJournalAreRefused) {
  folder_.Write("spool/job/0-1/update", "update");
  folder_.Write("journal.sqlite", "");

  EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss,
                                AllOf(HasSubstr("journal.sqlite is empty"), HasSubstr("spool"))));
}

}  // namespace
}  // namespace entente::inventory
