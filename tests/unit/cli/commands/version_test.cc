// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class VersionTest : public CoordinatorFixture {};

TEST_F(VersionTest, TellsBothVersions) {
  {
    absl::MutexLock lock(&state().mu);
    state().version.set_version("9.9.9");
    state().version.set_protocol_version(1);
    state().version.set_caller("spiffe://alliance.example/submitter/someone");
  }

  EXPECT_EQ(RunThere({"version"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("1.2.3"), HasSubstr("9.9.9"),
                           HasSubstr("takes us for spiffe://alliance.example/submitter/someone")));
}

TEST_F(VersionTest, UnreachableCoordinatorIsNoFailure) {
  coordinator_.Stop();

  EXPECT_EQ(RunThere({"version", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["client"]["version"], "1.2.3");
  EXPECT_THAT(OutJson()["coordinator"]["error"].get<std::string>(), HasSubstr("refuses"));
}

TEST_F(VersionTest, WithoutAContextTheClientsVersionIsTold) {
  EXPECT_EQ(Run({"version"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("client       1.2.3"));
}

}  // namespace
}  // namespace entente::cli
