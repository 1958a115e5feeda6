// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

TEST(ChildProcessTest, ExitStatusAndErrorOutputAreTold) {
  ASSERT_OK_AND_ASSIGN(const ChildResult result,
                       RunChild({"/bin/sh", "-c", "echo lost; echo wrong >&2; exit 2"}));

  EXPECT_EQ(result.exit_status, 2);
  EXPECT_EQ(result.error_output, "wrong\n");
}

TEST(ChildProcessTest, DeathBySignalIsTold) {
  ASSERT_OK_AND_ASSIGN(const ChildResult result, RunChild({"/bin/sh", "-c", "kill -9 $$"}));

  EXPECT_EQ(result.exit_status, 128 + 9);
}

TEST(ChildProcessTest, OnlyTheEndOfALongErrorIsKept) {
  ASSERT_OK_AND_ASSIGN(
      const ChildResult result,
      RunChild({"/bin/sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x >&2; echo end >&2"}));

  EXPECT_EQ(result.error_output.size(), 4096u);
  EXPECT_THAT(result.error_output, ::testing::EndsWith("end\n"));
}

TEST(ChildProcessTest, ProgramThatIsNotThereIsNamed) {
  EXPECT_THAT(RunChild({"/no/such/program"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/no/such/program")));
}

}  // namespace
}  // namespace entente::cli
