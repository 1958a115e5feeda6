// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

TEST(CommandsTest, VerbSetsTheActionAndRunsNothingWhileParsing) {
  CLI::App app;
  Invocation invocation;
  int runs = 0;
  AddVerb(app, "dance", "", invocation, [&runs]() -> absl::StatusOr<ExitCode> {
    ++runs;
    return ExitCode::kOk;
  });

  app.parse(std::vector<std::string>{"dance"});
  EXPECT_EQ(runs, 0);

  ASSERT_NE(invocation.action, nullptr);
  EXPECT_THAT(invocation.action(), IsOk());
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace entente::cli
