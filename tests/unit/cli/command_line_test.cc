// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CommandLineTest : public CommandFixture {};

TEST_F(CommandLineTest, HelpListsCommandsAndExitCodes) {
  EXPECT_EQ(Run({"--help"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("job"), HasSubstr("doctor"), HasSubstr("Exit codes:"),
                           HasSubstr("--coordinator")));
}

TEST_F(CommandLineTest, HelpOfACommandIsThatCommandsOwn) {
  EXPECT_EQ(Run({"job", "submit", "--help"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("RECIPE"), HasSubstr("--dry-run"), HasSubstr("--token")));
}

TEST_F(CommandLineTest, VersionFlagPrintsTheVersion) {
  EXPECT_EQ(Run({"--version"}), ExitCode::kOk);

  EXPECT_EQ(out(), "entente 1.2.3\n");
}

TEST_F(CommandLineTest, UnknownVerbIsAnsweredWithTheNearest) {
  EXPECT_EQ(Run({"job", "subit", "x.yaml"}), ExitCode::kBadInput);

  EXPECT_EQ(error(), "entente: unknown command \"subit\"; did you mean \"submit\"?\n");
  EXPECT_EQ(out(), "");
}

TEST_F(CommandLineTest, UnknownNounIsAnsweredWithTheNearest) {
  EXPECT_EQ(Run({"modle", "list"}), ExitCode::kBadInput);

  EXPECT_EQ(error(), "entente: unknown command \"modle\"; did you mean \"model\"?\n");
}

TEST_F(CommandLineTest, WordUnlikeAnyCommandGetsTheList) {
  EXPECT_EQ(Run({"round", "zzzzzz"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), AllOf(HasSubstr("unknown command \"zzzzzz\""), HasSubstr("list, show")));
}

TEST_F(CommandLineTest, UnknownOptionIsAnsweredWithTheNearest) {
  EXPECT_EQ(Run({"job", "submit", "--wach", "x.yaml"}), ExitCode::kBadInput);
  EXPECT_EQ(error(), "entente: unknown option \"--wach\"; did you mean \"--watch\"?\n");

  EXPECT_EQ(Run({"job", "list", "--contxt=a"}), ExitCode::kBadInput);
  EXPECT_THAT(error(), HasSubstr("did you mean \"--context\"?"));
}

TEST_F(CommandLineTest, UnknownOptionComesBeforeAMissingWord) {
  EXPECT_EQ(Run({"job", "submit", "--tokn"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("did you mean \"--token\"?"));
}

TEST_F(CommandLineTest, MissingWordIsNamed) {
  EXPECT_EQ(Run({"job", "show"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), AllOf(HasSubstr("JOB is required"), HasSubstr("entente job show --help")));
}

TEST_F(CommandLineTest, OneWordTooManyIsNamed) {
  EXPECT_EQ(Run({"context", "list", "extra"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("\"extra\" is one word too many for \"context list\""));
}

TEST_F(CommandLineTest, NounAloneSaysWhatMayFollow) {
  EXPECT_EQ(Run({"job"}), ExitCode::kBadInput);
  EXPECT_THAT(error(), HasSubstr("\"entente job\" wants one of submit, list, show, watch, "
                                 "pause, resume, cancel"));

  EXPECT_EQ(Run({}), ExitCode::kBadInput);
  EXPECT_THAT(error(), HasSubstr("wants one of job, round, model"));
}

TEST_F(CommandLineTest, SecondVerbIsNotRun) {
  EXPECT_EQ(Run({"context", "list", "show"}), ExitCode::kBadInput);
}

TEST_F(CommandLineTest, GlobalOptionsMayStandAnywhere) {
  EXPECT_EQ(Run({"-o", "json", "context", "list"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["contexts"].size(), 0u);

  EXPECT_EQ(Run({"context", "list", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["contexts"].size(), 0u);
}

TEST_F(CommandLineTest, UnknownFormatIsRefused) {
  EXPECT_EQ(Run({"context", "list", "-o", "jsn"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("did you mean \"json\"?"));
}

TEST_F(CommandLineTest, WrongCommandLineIsReportedInTheFormatAskedFor) {
  EXPECT_EQ(Run({"job", "subit", "-o", "json"}), ExitCode::kBadInput);

  const auto json = nlohmann::json::parse(error());
  EXPECT_EQ(json["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(json["error"]["exitCode"], 2);
}

TEST_F(CommandLineTest, TimeoutMustBeADuration) {
  EXPECT_EQ(Run({"job", "list", "--timeout", "soon"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("--timeout is \"soon\""));
}

TEST_F(CommandLineTest, CommandWithoutACoordinatorSaysHowToNameOne) {
  EXPECT_EQ(Run({"job", "list"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("no coordinator is named"));
}

}  // namespace
}  // namespace entente::cli
