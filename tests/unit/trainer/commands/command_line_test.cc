// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/trainer/commands/command_run.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CommandLineTest, WithoutASubcommandItSpeaksTheProtocol) {
  const CommandRun run = RunCommand({}, "{\"type\":\"stop\"}\n");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(
      run.out,
      StartsWith(R"({"type":"hello","protocol":1,"trainer":"entente-trainer 9.8.7","libtorch":")"));
}

TEST(CommandLineTest, ABrokenProtocolIsBadInput) {
  EXPECT_EQ(RunCommand({}, "garbage\n").exit_code, 2);
}

TEST(CommandLineTest, HelpAndVersionArePrinted) {
  const CommandRun help = RunCommand({"--help"});
  const CommandRun version = RunCommand({"--version"});

  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 done, 1 failed, 2 bad usage or input."));
  for (const char* const word : {"init", "inspect", "evaluate", "split", "train"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr("entente-trainer 9.8.7 (LibTorch "));
}

TEST(CommandLineTest, CheckConfigSaysThatLibTorchLoads) {
  const CommandRun run = RunCommand({"--check-config"});

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, StartsWith("entente-trainer is fine: LibTorch "));
}

TEST(CommandLineTest, UnknownOptionNamesTheNearest) {
  EXPECT_THAT(RunCommand({"--log-fromat", "json"}).error,
              HasSubstr("unknown option \"--log-fromat\"; did you mean \"--log-format\"?"));
  const CommandRun init = RunCommand({"init", "--recip", "x.json"});
  EXPECT_EQ(init.exit_code, 2);
  EXPECT_THAT(init.error, HasSubstr("unknown option \"--recip\"; did you mean \"--recipe\"?"));
}

TEST(CommandLineTest, UnknownWordsAreBadUsage) {
  EXPECT_EQ(RunCommand({"dance"}).exit_code, 2);
  EXPECT_EQ(RunCommand({"--log-format", "xml"}).exit_code, 2);
  EXPECT_EQ(RunCommand({"init"}).exit_code, 2);
  EXPECT_THAT(RunCommand({"init"}).error, HasSubstr("--recipe is required"));
}

}  // namespace
}  // namespace entente::trainer
