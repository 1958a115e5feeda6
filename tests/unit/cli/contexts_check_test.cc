// SPDX-License-Identifier: Apache-2.0
#include "cli/contexts_check.h"

#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ContextsCheckTest : public CommandFixture {};

TEST_F(ContextsCheckTest, NoContextsAreFine) {
  EXPECT_EQ(Run({"--check-config"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("is fine: contexts: 0, current: none"));
}

TEST_F(ContextsCheckTest, MissingCertificateIsNamedWithItsContext) {
  ASSERT_EQ(Run({"context", "set", "one", "--coordinator", "x:1", "--certificate", "/no/such.crt",
                 "--private-key", "/no/such.key", "--authority", "/no/such.ca"}),
            ExitCode::kOk);

  EXPECT_NE(Run({"--check-config"}), ExitCode::kOk);

  EXPECT_THAT(error(), AllOf(HasSubstr("context one: "), HasSubstr("/no/such")));
}

TEST_F(ContextsCheckTest, BrokenFileIsNamedWithItsLine) {
  folder_.Write(".config/entente/config.yaml", "apiVersion: entente/v1\nkind: Contexts\nx: 1\n");

  EXPECT_EQ(Run({"--check-config"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("config.yaml:3:1"));
}

}  // namespace
}  // namespace entente::cli
