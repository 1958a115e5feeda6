// SPDX-License-Identifier: Apache-2.0
#include "common/base/durable_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableFoldersTest : public ::testing::Test {
 protected:
  absl::Status Create(const std::string& path) {
    calls_.clear();
    return folders_.Create(
        path, {.exists = [this](const std::string& folder) { return there_.contains(folder); },
               .make =
                   [this](const std::string& folder) {
                     calls_.push_back("make " + folder);
                     there_.insert(folder);
                     return absl::OkStatus();
                   },
               .sync = [this](const std::string& folder) -> absl::Status {
                 calls_.push_back("sync " + folder);
                 if (sync_fails_) return absl::UnavailableError("I/O error");
                 return absl::OkStatus();
               }});
  }

  DurableFolders folders_;
  std::set<std::string> there_ = {"/", "/srv"};
  std::vector<std::string> calls_;
  bool sync_fails_ = false;
};

TEST_F(DurableFoldersTest, EachFolderIsSyncedIntoTheOneItIsIn) {
  EXPECT_THAT(Create("/srv/a/b"), IsOk());

  EXPECT_THAT(calls_, ElementsAre("make /srv/a", "sync /srv", "make /srv/a/b", "sync /srv/a"));
}

TEST_F(DurableFoldersTest, WhatIsOnTheDiskIsNotSyncedAgain) {
  ASSERT_THAT(Create("/srv/a"), IsOk());

  EXPECT_THAT(Create("/srv/a"), IsOk());

  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(DurableFoldersTest, AFolderWhoseSyncFailedIsSyncedNextTimeThoughItIsThere) {
  ASSERT_THAT(Create("/srv/spool"), IsOk());
  sync_fails_ = true;
  EXPECT_FALSE(Create("/srv/spool/job/1").ok());
  sync_fails_ = false;

  EXPECT_THAT(Create("/srv/spool/job/1"), IsOk());

  EXPECT_THAT(calls_,
              ElementsAre("sync /srv/spool", "make /srv/spool/job/1", "sync /srv/spool/job"));
}

TEST_F(DurableFoldersTest, WhatAKilledProcessLeftIsSynced) {
  there_.insert({"/srv/spool", "/srv/spool/job", "/srv/spool/job/1"});
  ASSERT_THAT(Create("/srv/spool"), IsOk());
  EXPECT_THAT(calls_, ElementsAre("sync /srv"));

  EXPECT_THAT(Create("/srv/spool/job/1"), IsOk());

  EXPECT_THAT(calls_, ElementsAre("sync /srv/spool", "sync /srv/spool/job"));
}

TEST_F(DurableFoldersTest, AFolderThatWasRemovedIsMadeAndSyncedAnew) {
  ASSERT_THAT(Create("/srv/a/b"), IsOk());
  there_.erase("/srv/a/b");
  there_.erase("/srv/a");
  folders_.Forget("/srv/a");

  EXPECT_THAT(Create("/srv/a/b"), IsOk());

  EXPECT_THAT(calls_, ElementsAre("make /srv/a", "sync /srv", "make /srv/a/b", "sync /srv/a"));
}

}  // namespace
}  // namespace entente
