// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MemberShowTest : public CoordinatorFixture {
 protected:
  MemberShowTest() {
    v1::Member member;
    member.set_id("fr-lab");
    member.set_display_name("FR Lab");
    member.set_trust_domain("fr-lab.example");
    v1::Worker* worker = member.add_workers();
    worker->set_id("fr-lab/gpu-1");
    worker->set_reason("its certificate expired");
    worker->set_sandbox("none");
    absl::MutexLock lock(&state().mu);
    state().members = {member};
  }
};

TEST_F(MemberShowTest, ShowsWorkersAndWhyTheyAreAway) {
  EXPECT_EQ(RunThere({"member", "show", "fr-lab"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("FR Lab"), HasSubstr("no: its certificate expired"),
                           HasSubstr("none! nothing but trust")));
}

TEST_F(MemberShowTest, UnknownMemberIsNotFound) {
  EXPECT_EQ(RunThere({"member", "show", "xx-lab"}), ExitCode::kNotFound);
}

}  // namespace
}  // namespace entente::cli
