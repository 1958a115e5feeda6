// SPDX-License-Identifier: Apache-2.0
// What every program promises on its command line.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

class ProgramsTest : public FederationTest {};

TEST_F(ProgramsTest, EachHasHelpAndAVersion) {
  for (const char* name : {"entente", "entente-coordinator", "entente-worker", "entente-trainer"}) {
    const Finished help = RunProgram({Program(name), "--help"});
    EXPECT_EQ(help.exit_status, 0) << name;
    EXPECT_THAT(help.standard_output, HasSubstr("xit code")) << name;
    const Finished version = RunProgram({Program(name), "--version"});
    EXPECT_EQ(version.exit_status, 0) << name;
    EXPECT_THAT(version.standard_output, HasSubstr("0.1.0")) << name;
  }
}

TEST_F(ProgramsTest, UnknownOptionIsBadUsage) {
  for (const char* name : {"entente", "entente-coordinator", "entente-worker", "entente-trainer"}) {
    EXPECT_EQ(RunProgram({Program(name), "--no-such-option"}).exit_status, 2) << name;
    const Finished misspelt = RunProgram({Program(name), "--chek-config"});
    EXPECT_EQ(misspelt.exit_status, 2) << name;
    EXPECT_THAT(misspelt.standard_error,
                HasSubstr("unknown option \"--chek-config\"; did you mean \"--check-config\"?"))
        << name;
  }
}

TEST_F(ProgramsTest, CheckConfigNamesFileLineAndTheNearestKey) {
  StartCoordinator();
  const std::string config =
      folder_.Write("bad.yaml", "apiVersion: entente/v1\nkind: Coordinator\ndataDirectori: x\n");

  const Finished checked =
      RunProgram({Program("entente-coordinator"), "--config", config, "--check-config"});

  EXPECT_EQ(checked.exit_status, 2);
  EXPECT_THAT(checked.standard_error, HasSubstr("bad.yaml:3:1"));
  EXPECT_THAT(checked.standard_error, HasSubstr("did you mean \"dataDirectory\""));
}

TEST_F(ProgramsTest, CheckConfigOfAGoodFileSaysSo) {
  StartCoordinator();

  const Finished checked = RunProgram({Program("entente-coordinator"), "--config",
                                       folder_.File("coordinator.yaml"), "--check-config"});

  EXPECT_EQ(checked.exit_status, 0) << checked.standard_error;
  EXPECT_THAT(checked.standard_output, HasSubstr("is fine"));
}

TEST_F(ProgramsTest, PortInUseIsOneSentence) {
  StartCoordinator();
  folder_.Write("second.yaml", [this] {
    std::ifstream file(folder_.File("coordinator.yaml"));
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    text.replace(text.find("dataDirectory: coordinator"), 26, "dataDirectory: another");
    return text.replace(text.find("127.0.0.1:0"), 11, "127.0.0.1:" + port_);
  }());

  const Finished second =
      RunProgram({Program("entente-coordinator"), "--config", folder_.File("second.yaml")});

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.standard_error, HasSubstr("the port is in use"));
}

TEST_F(ProgramsTest, SecondCoordinatorOnOneDataDirectoryIsRefused) {
  StartCoordinator();

  const Finished second =
      RunProgram({Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml")});

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.standard_error, HasSubstr("another process uses this data directory"));
}

TEST_F(ProgramsTest, JsonLogsAreOneObjectALine) {
  StartCoordinator();
  folder_.Write("json.yaml", [this] {
    std::ifstream file(folder_.File("coordinator.yaml"));
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    return text.replace(text.find("dataDirectory: coordinator"), 26, "dataDirectory: another");
  }());
  Process json({Program("entente-coordinator"), "--config", folder_.File("json.yaml"),
                "--log-format", "json"},
               folder_.File("json.log"));

  ASSERT_TRUE(json.WaitForOutput("coordinator ready"));

  const std::string line = json.Output().substr(0, json.Output().find('\n'));
  const auto parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(parsed.is_object()) << line;
  EXPECT_TRUE(parsed.contains("time") && parsed.contains("level") && parsed.contains("message"));
}

}  // namespace
}  // namespace entente
