// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "common/crypto/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class AdminBackupTest : public CoordinatorFixture {
 protected:
  void SetBackup(bool is_whole) {
    std::vector<v1::BackupMessage> messages(2);
    messages[0].mutable_file()->set_path("journal.sqlite");
    messages[0].mutable_file()->set_total_bytes(7);
    messages[0].mutable_file()->set_digest(Sha256Of("journal").Raw());
    messages[1].set_data("journal");
    if (is_whole) {
      v1::BackupMessage& end = messages.emplace_back();
      end.mutable_end()->set_file_count(1);
      end.mutable_end()->set_total_bytes(7);
      end.mutable_end()->set_job_count(2);
    }
    absl::MutexLock lock(&state().mu);
    state().backup = messages;
  }

  const std::string copy_ = folder_.File("copy");
};

TEST_F(AdminBackupTest, WritesTheDataDirectory) {
  SetBackup(/*is_whole=*/true);

  EXPECT_EQ(RunThere({"admin", "backup", copy_, "-o", "json"}), ExitCode::kOk) << error();

  EXPECT_EQ(OutJson()["path"], copy_);
  EXPECT_EQ(OutJson()["jobCount"], 2);
  EXPECT_EQ(OutJson()["totalBytes"], 7);
  EXPECT_EQ(*ReadTextFile(files_, copy_ + "/journal.sqlite", 100), "journal");
}

TEST_F(AdminBackupTest, StoredFilesThatAreThereAreNamedInTheRequest) {
  folder_.Write("copy/models/" + Sha256Of("model").ToHex(), "model");
  SetBackup(/*is_whole=*/true);

  EXPECT_EQ(RunThere({"admin", "backup", copy_}), ExitCode::kOk) << error();

  absl::MutexLock lock(&state().mu);
  ASSERT_EQ(state().backup_requests.size(), 1U);
  ASSERT_EQ(state().backup_requests[0].present_size(), 1);
  EXPECT_EQ(state().backup_requests[0].present(0), Sha256Of("model").Raw());
}

TEST_F(AdminBackupTest, BackupThatEndsEarlyIsNone) {
  SetBackup(/*is_whole=*/false);

  EXPECT_EQ(RunThere({"admin", "backup", copy_}), ExitCode::kUnreachable);
  EXPECT_THAT(error(), HasSubstr("cut off"));
  EXPECT_FALSE(files_.Exists(copy_ + "/journal.sqlite"));
}

TEST_F(AdminBackupTest, FolderThatHoldsADataDirectoryIsRefused) {
  folder_.Write("copy/journal.sqlite", "precious");

  EXPECT_EQ(RunThere({"admin", "backup", copy_}), ExitCode::kWrongState);
  EXPECT_THAT(error(), HasSubstr("holds a data directory already"));
}

TEST_F(AdminBackupTest, FileInThePlaceOfTheFolderIsRefusedAndStays) {
  folder_.Write("copy", "precious");
  SetBackup(/*is_whole=*/true);

  EXPECT_EQ(RunThere({"admin", "backup", copy_}), ExitCode::kFailed);

  EXPECT_THAT(error(), HasSubstr(copy_ + ": there is a file of that name; name another folder"));
  EXPECT_EQ(*ReadTextFile(files_, copy_, 100), "precious");
  absl::MutexLock lock(&state().mu);
  EXPECT_TRUE(state().backup_requests.empty());
}

TEST_F(AdminBackupTest, RefusalIsPassedOn) {
  {
    absl::MutexLock lock(&state().mu);
    state().refuse_all = absl::PermissionDeniedError("which may not take a backup");
  }

  EXPECT_EQ(RunThere({"admin", "backup", copy_}), ExitCode::kRefused);
  EXPECT_THAT(error(), HasSubstr("may not take a backup"));
}

}  // namespace
}  // namespace entente::cli
