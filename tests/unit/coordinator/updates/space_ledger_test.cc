// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/space_ledger.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::updates {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SpaceLedgerTest : public ::testing::Test {
 protected:
  SpaceLedger::Request Request(const std::string& name, uint64_t total_bytes,
                               uint64_t free_bytes_min = 0) {
    return {.path = folder_.File(name),
            .what = "the update of " + name,
            .total_bytes = total_bytes,
            .free_bytes_min = free_bytes_min};
  }

  TempFolder folder_;
  FaultyFileSystem files_;
  SpaceLedger ledger_{&files_, folder_.path(), /*quota_bytes=*/100};
};

TEST_F(SpaceLedgerTest, WhatIsAnnouncedIsSetAsideBeforeItComes) {
  ASSERT_OK_AND_ASSIGN(const SpaceReservation first, ledger_.Reserve(Request("a", 60)));

  EXPECT_EQ(ledger_.promised_bytes(), 60u);
  EXPECT_THAT(
      ledger_.Reserve(Request("b", 41)),
      StatusIs(absl::StatusCode::kResourceExhausted,
               AllOf(HasSubstr("no room for the update of b now"), HasSubstr("41 bytes are needed"),
                     HasSubstr("holds 0"), HasSubstr("60 are promised"), HasSubstr("may hold 100"),
                     HasSubstr("free on the disk"), HasSubstr("try again later"))));
  EXPECT_EQ(ledger_.promised_bytes(), 60u);
  EXPECT_THAT(ledger_.Reserve(Request("b", 40)), IsOk());
}

TEST_F(SpaceLedgerTest, WhatIsWrittenMovesFromPromisedToPresent) {
  ASSERT_OK_AND_ASSIGN(SpaceReservation space, ledger_.Reserve(Request("a", 60)));

  space.SetPresent(25);

  EXPECT_EQ(ledger_.present_bytes(), 25u);
  EXPECT_EQ(ledger_.promised_bytes(), 35u);
}

TEST_F(SpaceLedgerTest, CutUploadKeepsItsPartAndGivesUpTheRest) {
  {
    ASSERT_OK_AND_ASSIGN(SpaceReservation space, ledger_.Reserve(Request("a", 60)));
    folder_.Write("a.part", std::string(10, 'x'));
    space.SetPresent(10);
  }
  EXPECT_EQ(ledger_.present_bytes(), 10u);
  EXPECT_EQ(ledger_.promised_bytes(), 0u);

  ASSERT_OK_AND_ASSIGN(const SpaceReservation again, ledger_.Reserve(Request("a", 60)));

  EXPECT_EQ(ledger_.present_bytes(), 10u);
  EXPECT_EQ(ledger_.promised_bytes(), 50u);
}

TEST_F(SpaceLedgerTest, DroppedUploadTakesNothing) {
  { ASSERT_OK_AND_ASSIGN(const SpaceReservation space, ledger_.Reserve(Request("a", 60))); }

  EXPECT_EQ(ledger_.present_bytes() + ledger_.promised_bytes(), 0u);
}

TEST_F(SpaceLedgerTest, StoredFileCountsUntilItIsRemoved) {
  {
    ASSERT_OK_AND_ASSIGN(const SpaceReservation space, ledger_.Reserve(Request("round/a", 60)));
    folder_.Write("round/a", std::string(60, 'x'));
  }
  EXPECT_EQ(ledger_.present_bytes(), 60u);
  EXPECT_THAT(ledger_.Reserve(Request("b", 41)), StatusIs(absl::StatusCode::kResourceExhausted));

  ledger_.ForgetFolder(folder_.File("round"));

  EXPECT_EQ(ledger_.present_bytes(), 0u);
  EXPECT_THAT(ledger_.Reserve(Request("b", 100)), IsOk());
}

TEST_F(SpaceLedgerTest, OpenUploadOfARemovedFolderIsCountedUntilItEnds) {
  {
    ASSERT_OK_AND_ASSIGN(const SpaceReservation space, ledger_.Reserve(Request("round/a", 60)));
    ledger_.ForgetFolder(folder_.File("round"));
    ledger_.Forget(folder_.File("round/a"));
    EXPECT_EQ(ledger_.promised_bytes(), 60u);
  }
  EXPECT_EQ(ledger_.promised_bytes(), 0u);
}

TEST_F(SpaceLedgerTest, SameFileIsNotPromisedTwice) {
  ASSERT_OK_AND_ASSIGN(const SpaceReservation space, ledger_.Reserve(Request("a", 10)));

  EXPECT_THAT(ledger_.Reserve(Request("a", 10)), StatusIs(absl::StatusCode::kUnavailable));

  EXPECT_EQ(ledger_.promised_bytes(), 10u);
}

TEST_F(SpaceLedgerTest, WhatIsThereAtTheStartCounts) {
  folder_.Write("whole", std::string(30, 'x'));
  folder_.Write("cut.part", std::string(20, 'x'));

  ledger_.AddPresent(folder_.File("whole"));
  ledger_.AddPresent(folder_.File("cut"));
  ledger_.AddPresent(folder_.File("cut"));

  EXPECT_EQ(ledger_.present_bytes(), 50u);
}

TEST_F(SpaceLedgerTest, UploadsTogetherLeaveTheDiskWhatMustStayFree) {
  SpaceLedger unlimited(&files_, folder_.path(), SpaceLedger::kNoQuota);
  files_.bytes_left = 1000;
  std::vector<SpaceReservation> open;
  for (int i = 0; i < 1000; ++i) {
    auto space = unlimited.Reserve(Request(std::to_string(i), 90, /*free_bytes_min=*/100));
    if (space.ok()) open.push_back(*std::move(space));
  }
  EXPECT_EQ(open.size(), 10u);
  EXPECT_EQ(unlimited.promised_bytes(), 900u);

  EXPECT_THAT(unlimited.Reserve(Request("more", 90, 100)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("has no quota"), HasSubstr("900 are promised"),
                             HasSubstr("1000 are free"), HasSubstr("100 must stay free"))));
  open.pop_back();
  EXPECT_THAT(unlimited.Reserve(Request("more", 90, 100)), IsOk());
}

TEST_F(SpaceLedgerTest, FilesElsewhereCountAgainstTheDiskAndNotTheQuota) {
  files_.bytes_left = 1000;
  SpaceLedger::Request request = Request("model", 950);
  request.account = SpaceLedger::Account::kDisk;
  ASSERT_OK_AND_ASSIGN(const SpaceReservation model, ledger_.Reserve(request));

  EXPECT_EQ(ledger_.promised_bytes(), 0u);
  EXPECT_THAT(ledger_.Reserve(Request("a", 51)), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ledger_.Reserve(Request("a", 50)), IsOk());
}

TEST_F(SpaceLedgerTest, CutFileElsewhereCountsUntilItIsForgottenOrWhole) {
  files_.bytes_left = 1000;
  SpaceLedger::Request request = Request("model", 60);
  request.account = SpaceLedger::Account::kDisk;
  {
    ASSERT_OK_AND_ASSIGN(SpaceReservation space, ledger_.Reserve(request));
    folder_.Write("model.part", std::string(10, 'x'));
    space.SetPresent(10);
  }
  EXPECT_EQ(ledger_.part_count(), 1u);
  EXPECT_EQ(ledger_.part_bytes(), 10u);
  EXPECT_EQ(ledger_.present_bytes(), 0u);
  EXPECT_THAT(ledger_.Reserve(Request("a", 101)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("parts of models, under way or cut, hold 10; ")));

  ledger_.Forget(folder_.File("model"));
  EXPECT_EQ(ledger_.part_count() + ledger_.part_bytes(), 0u);

  ledger_.AddPresent(folder_.File("model"), SpaceLedger::Account::kDisk);
  EXPECT_EQ(ledger_.part_bytes(), 10u);
  {
    ASSERT_OK_AND_ASSIGN(const SpaceReservation space, ledger_.Reserve(request));
    ASSERT_THAT(files_.Rename(folder_.File("model.part"), folder_.File("model")), IsOk());
  }
  EXPECT_EQ(ledger_.part_count() + ledger_.part_bytes(), 0u);
}

TEST_F(SpaceLedgerTest, AbsurdSizesDoNotOverflow) {
  SpaceLedger unlimited(&files_, folder_.path(), SpaceLedger::kNoQuota);
  ASSERT_OK_AND_ASSIGN(const SpaceReservation some, unlimited.Reserve(Request("a", 1000)));

  for (const uint64_t absurd : {~uint64_t{0}, uint64_t{1} << 63}) {
    for (SpaceLedger* ledger : {&ledger_, &unlimited}) {
      EXPECT_THAT(ledger->Reserve(Request("b", absurd)),
                  StatusIs(absl::StatusCode::kResourceExhausted))
          << absurd;
      EXPECT_THAT(ledger->Reserve(Request("b", 1, /*free_bytes_min=*/absurd)),
                  StatusIs(absl::StatusCode::kResourceExhausted))
          << absurd;
    }
  }
  EXPECT_EQ(unlimited.promised_bytes(), 1000u);
}

}  // namespace
}  // namespace entente::updates
