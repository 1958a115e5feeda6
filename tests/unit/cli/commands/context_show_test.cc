// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ContextShowTest : public CommandFixture {};

TEST_F(ContextShowTest, ShowsWhereACommandWouldConnect) {
  EXPECT_EQ(Run({"context", "show", "--coordinator", "x:1", "--certificate", "/c", "--private-key",
                 "/k", "--authority", "/a"}),
            ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("coordinator  x:1"), HasSubstr("private key  /k")));
}

TEST_F(ContextShowTest, NoContextIsBadInput) {
  EXPECT_EQ(Run({"context", "show"}), ExitCode::kBadInput);
}

TEST_F(ContextShowTest, UnknownContextIsNotFound) {
  EXPECT_EQ(Run({"context", "show", "nowhere"}), ExitCode::kNotFound);
}

}  // namespace
}  // namespace entente::cli
