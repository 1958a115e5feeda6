// SPDX-License-Identifier: Apache-2.0
#include "cli/member_text.h"

#include <gtest/gtest.h>

#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

TEST(MemberTextTest, MissingSandboxIsMarked) {
  v1::Worker worker;
  worker.set_sandbox("none");
  EXPECT_EQ(SandboxText(worker), "none!");
  worker.set_sandbox("bubblewrap");
  EXPECT_EQ(SandboxText(worker), "bubblewrap");
}

TEST(MemberTextTest, WorkerIsNamedWithoutItsMember) {
  v1::Worker worker;
  worker.set_id("fr-lab/gpu-1");
  EXPECT_EQ(WorkerName(worker), "gpu-1");
}

TEST(MemberTextTest, AwayIsTheActivityBeItConnectedOrNot) {
  v1::Worker worker;
  worker.set_reason("the connection ended");
  EXPECT_EQ(ActivityText(worker), "the connection ended");
  worker.mutable_away()->set_reason("lent");
  EXPECT_EQ(ActivityText(worker), "away: lent");
  worker.set_connected(true);
  EXPECT_EQ(ActivityText(worker), "away: lent");
  worker.clear_away();
  worker.set_activity("training");
  EXPECT_EQ(ActivityText(worker), "training");
}

TEST(MemberTextTest, LastSeenIsAnAge) {
  v1::Worker worker;
  EXPECT_EQ(LastSeenText(worker, absl::FromUnixSeconds(100)), "");
  *worker.mutable_last_seen_at() = ToProto(absl::FromUnixSeconds(88));
  EXPECT_EQ(LastSeenText(worker, absl::FromUnixSeconds(100)), "12 s ago");
}

}  // namespace
}  // namespace entente::cli
