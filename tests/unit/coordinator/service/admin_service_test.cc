// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/admin_service.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::HasSubstr;

struct ReceivedBackup {
  grpc::Status status;
  std::map<std::string, std::string> files;
  std::map<std::string, bool> is_present;
  v1::BackupEnd end;
};

class AdminServiceTest : public ServiceTest {
 protected:
  ReceivedBackup Backup(const std::string& role, const v1::BackupRequest& request = {}) {
    ReceivedBackup backup;
    const auto context = Context();
    const auto stub = v1::AdminService::NewStub(ChannelAs("alliance.example", role, "o"));
    const auto reader = stub->Backup(context.get(), request);
    std::string path;
    for (v1::BackupMessage message; reader->Read(&message);) {
      if (message.has_file()) {
        path = message.file().path();
        backup.files[path];
        backup.is_present[path] = message.file().is_present();
      } else if (message.has_end()) {
        backup.end = message.end();
      } else {
        backup.files[path] += message.data();
      }
    }
    backup.status = reader->Finish();
    return backup;
  }
};

TEST_F(AdminServiceTest, OperatorGetsTheJournalAndWhatItNames) {
  const auto fr = AttachWorker("fr-lab/w");
  AttachWorker("kr-lab/w");
  const auto job = Submit(RecipeOf(1, 2));
  ASSERT_THAT(EngineTest::Upload("fr-lab/w", fr->WaitForTask(0), 1, 1), IsOk());

  const ReceivedBackup backup = Backup("operator");

  ASSERT_TRUE(backup.status.ok()) << backup.status.error_message();
  EXPECT_EQ(backup.end.file_count(), 3U);
  EXPECT_EQ(backup.end.job_count(), 1U);
  const std::string model = job->View().state->model.ToHex();
  EXPECT_EQ(Sha256Of(backup.files.at("models/" + model)).ToHex(), model);
  EXPECT_THAT(backup.files.at("journal.sqlite"), HasSubstr(job->description().id.value()));
}

TEST_F(AdminServiceTest, WhatTheCallerHasIsNamedWithoutBytes) {
  const auto job = Submit(RecipeOf(1, 1));
  const Digest model = job->View().state->model;
  v1::BackupRequest request;
  request.add_present(model.Raw());

  const ReceivedBackup backup = Backup("operator", request);

  ASSERT_TRUE(backup.status.ok()) << backup.status.error_message();
  EXPECT_TRUE(backup.is_present.at("models/" + model.ToHex()));
  EXPECT_EQ(backup.files.at("models/" + model.ToHex()), "");
}

TEST_F(AdminServiceTest, OnlyOperatorsMay) {
  for (const char* role : {"submitter", "observer"}) {
    const ReceivedBackup backup = Backup(role);
    EXPECT_EQ(backup.status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << role;
    EXPECT_THAT(backup.status.error_message(), HasSubstr("may not take a backup"));
  }
}

TEST_F(AdminServiceTest, MalformedDigestIsRefused) {
  v1::BackupRequest request;
  request.add_present("short");

  EXPECT_EQ(Backup("operator", request).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace entente::service
