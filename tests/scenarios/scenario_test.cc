// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/scenario.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace entente::scenarios {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> ScenarioFiles() {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(ENTENTE_SOURCE_DIR "/tests/scenarios")) {
    if (entry.path().extension() == ".scenario") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class ScenarioTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, Holds) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(RunScenario(text.str()), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioTest, ::testing::ValuesIn(ScenarioFiles()),
                         [](const ::testing::TestParamInfo<std::string>& file) {
                           return std::filesystem::path(file.param).stem().string();
                         });

constexpr char kOpened[] = "workers FR DE\njob quorum=2\nopen\n";

TEST(ScenarioRunnerTest, WrongExpectationFailsWithItsLineAndWhatWasInstead) {
  EXPECT_THAT(RunScenario(std::string(kOpened) + "expect phase=grace\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("line 4 (expect phase=grace): phase is \"collecting\"")));
}

TEST(ScenarioRunnerTest, RefusalThatNobodyExpectedFails) {
  EXPECT_THAT(RunScenario(std::string(kOpened) + "upload JP examples=1\nexpect phase=collecting\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no expect said so")));
}

TEST(ScenarioRunnerTest, UnknownCommandFails) {
  EXPECT_THAT(RunScenario("worker FR\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("unknown command worker")));
}

}  // namespace
}  // namespace entente::scenarios
