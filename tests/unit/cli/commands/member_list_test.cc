// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MemberListTest : public CoordinatorFixture {};

TEST_F(MemberListTest, EveryWorkerHasALine) {
  v1::Member member;
  member.set_id("fr-lab");
  member.set_jurisdiction("FR");
  v1::Worker* worker = member.add_workers();
  worker->set_id("fr-lab/gpu-1");
  worker->set_connected(true);
  worker->add_datasets("fashion-mnist");
  worker->set_sandbox("none");
  worker->set_activity("training");
  worker->set_version("0.1.0");
  v1::Member lonely;
  lonely.set_id("kr-lab");
  lonely.set_jurisdiction("KR");
  {
    absl::MutexLock lock(&state().mu);
    state().members = {member, lonely};
  }

  EXPECT_EQ(RunThere({"member", "list"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("fr-lab  FR  gpu-1   yes            fashion-mnist  training"),
                           HasSubstr("none!"), HasSubstr("kr-lab  KR  -       no worker yet")));
}

TEST_F(MemberListTest, NoMembersIsAnEmptyList) {
  EXPECT_EQ(RunThere({"member", "list", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["members"].size(), 0u);
}

}  // namespace
}  // namespace entente::cli
