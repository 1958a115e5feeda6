// SPDX-License-Identifier: Apache-2.0
#include "worker/session/away_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

const absl::Time kMonday =
    absl::FromCivil(absl::CivilMinute(2026, 11, 30, 8, 0), absl::UTCTimeZone());

class AwayFileTest : public testing::Test {
 protected:
  const TempFolder folder_;
  PosixFileSystem files_;
  const std::string path_ = AwayFilePath(folder_.File("work"));
};

TEST_F(AwayFileTest, WhatWasWrittenIsRead) {
  ASSERT_THAT(files_.CreateFolder(folder_.File("work")), IsOk());
  v1::Away away;
  away.set_reason("the GPU is lent to \"the others\"");
  *away.mutable_until() = ToProto(kMonday);
  ASSERT_THAT(WriteAwayFile(files_, path_, away), IsOk());

  const auto read = ReadAwayFile(files_, path_);

  ASSERT_THAT(read, IsOk());
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ((*read)->SerializeAsString(), away.SerializeAsString());
}

TEST_F(AwayFileTest, NoFileIsNobodyAway) {
  const auto read = ReadAwayFile(files_, path_);
  ASSERT_THAT(read, IsOk());
  EXPECT_FALSE(read->has_value());
}

TEST_F(AwayFileTest, WhatIsNoNoteIsRefusedWithItsPath) {
  for (const char* text : {"", "[]", "{", "{\"until\": 7}", "{\"reason\": {}}",
                           "{\"until\": \"infinite-future\"}", "{\"until\": \"Monday\"}"}) {
    folder_.Write("work/away.json", text);
    EXPECT_THAT(ReadAwayFile(files_, path_),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("work/away.json: ")))
        << text;
  }
}

TEST_F(AwayFileTest, LongReasonIsCut) {
  folder_.Write("work/away.json", "{\"reason\": \"" + std::string(3000, 'x') + "\"}");
  const auto read = ReadAwayFile(files_, path_);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ((*read)->reason().size(), limits::kReasonBytesMax);
}

TEST(ParseUntilTest, TakesTimesAsPeopleWriteThem) {
  for (const char* text : {"2026-11-30T08:00Z", "2026-11-30T08:00:00Z", "2026-11-30T09:00+01:00"}) {
    const auto time = ParseUntil(text);
    ASSERT_THAT(time, IsOk()) << text;
    EXPECT_EQ(*time, kMonday) << text;
  }
  const auto day = ParseUntil("2026-11-30");
  ASSERT_THAT(day, IsOk());
  EXPECT_EQ(*day, kMonday - absl::Hours(8));
}

TEST(ParseUntilTest, WhatIsNoTimeIsRefused) {
  for (const char* text : {"", "Monday", "2026-13-01", "08:00", "infinite-future",
                           "99999-01-01T00:00Z", "2026-11-30T08:00"}) {
    EXPECT_THAT(ParseUntil(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2026-11-30T08:00Z")))
        << text;
  }
}

}  // namespace
}  // namespace entente::worker
