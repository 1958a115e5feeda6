// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class ContextUseTest : public CommandFixture {
 protected:
  ContextUseTest() {
    for (const char* name : {"one", "two"}) {
      Run({"context", "set", name, "--coordinator", "x:1", "--certificate", "/c", "--private-key",
           "/k", "--authority", "/a"});
    }
  }
};

TEST_F(ContextUseTest, LaterCommandsUseTheChosenContext) {
  EXPECT_EQ(Run({"context", "use", "two"}), ExitCode::kOk);

  EXPECT_EQ(Run({"context", "show", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["name"], "two");
}

TEST_F(ContextUseTest, UnknownContextIsNotFoundAndNothingChanges) {
  EXPECT_EQ(Run({"context", "use", "tow"}), ExitCode::kNotFound);
  EXPECT_THAT(error(), HasSubstr("did you mean \"two\"?"));

  Run({"context", "show", "-o", "json"});
  EXPECT_EQ(OutJson()["name"], "one");
}

}  // namespace
}  // namespace entente::cli
