// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ContextListTest : public CommandFixture {};

TEST_F(ContextListTest, CurrentContextIsMarked) {
  for (const char* name : {"one", "two"}) {
    ASSERT_EQ(Run({"context", "set", name, "--coordinator", "x:1", "--certificate", "/c",
                   "--private-key", "/k", "--authority", "/a"}),
              ExitCode::kOk)
        << error();
  }

  EXPECT_EQ(Run({"context", "list"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("*        one   x:1"), HasSubstr("         two   x:1")));
}

TEST_F(ContextListTest, NoContextsIsNoError) {
  EXPECT_EQ(Run({"context", "list"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("no contexts in"));
}

TEST_F(ContextListTest, BrokenFileIsNamedWithItsLine) {
  folder_.Write(".config/entente/config.yaml", "apiVersion: entente/v1\nkind: Contexts\nx: 1\n");

  EXPECT_EQ(Run({"context", "list"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("config.yaml:3:1"));
}

}  // namespace
}  // namespace entente::cli
