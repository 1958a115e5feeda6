// SPDX-License-Identifier: Apache-2.0
// What an operator does with a data directory: checks it, protects it, takes it elsewhere.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DataDirectoryTest : public FederationTest {
 protected:
  Finished Verify(const std::string& path) {
    return RunProgram({Program("entente-coordinator"), "--verify", path});
  }
};

TEST_F(DataDirectoryTest, SecondCoordinatorIsToldTheFirstOnesProcess) {
  StartCoordinator();

  const Finished second =
      RunProgram({Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml")});

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.standard_error,
              AllOf(HasSubstr("another coordinator is running on this data directory"),
                    HasSubstr(absl::StrCat("locked by process ", coordinator().pid()))));
}

TEST_F(DataDirectoryTest, VerifyRefusesWhileACoordinatorRunsAndSaysWhatThereIsAfterwards) {
  StartCoordinator();
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));

  const Finished running = Verify(folder_.File("coordinator.yaml"));
  EXPECT_EQ(running.exit_status, 1);
  EXPECT_THAT(running.standard_error,
              HasSubstr(absl::StrCat("locked by process ", coordinator().pid())));

  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  for (const char* path : {"coordinator.yaml", "coordinator"}) {
    const Finished stopped = Verify(folder_.File(path));
    EXPECT_EQ(stopped.exit_status, 0) << stopped.standard_error;
    EXPECT_THAT(stopped.standard_output,
                AllOf(HasSubstr("alliance.example"), HasSubstr(job), HasSubstr("and whole")));
  }
}

TEST_F(DataDirectoryTest, CoordinatorGoesOnFromABackupThatWasTakenWhileItWorked) {
  Pki({"issue", "--authority", folder_.File("alliance"), "--role", "operator", "--name", "o",
       "--output", folder_.File("alliance")});
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab");
  WaitForWorkers(2);
  const std::string job = Submit(WriteRecipe(6, "  quorum: {count: 2}\n  lease: 20s\n"));
  ASSERT_TRUE(WaitUntil([&] {
    return EntenteJson({"job", "show", job}).value("roundsCommitted", 0) >= 1;
  }));

  EXPECT_EQ(Entente({"admin", "backup", folder_.File("copy")}).exit_status, 4);
  const Finished backup = Entente({"admin", "backup", folder_.File("copy")}, "operator-o");
  ASSERT_EQ(backup.exit_status, 0) << backup.standard_error;
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  EXPECT_EQ(Verify(folder_.File("copy")).exit_status, 0)
      << Verify(folder_.File("copy")).standard_output;
  std::filesystem::rename(folder_.File("coordinator"), folder_.File("gone"));
  std::filesystem::rename(folder_.File("copy"), folder_.File("coordinator"));
  StartCoordinator();

  const nlohmann::json ended = WaitForEnd(job);
  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_EQ(ended.value("roundsCommitted", 0), 6);
}

}  // namespace
}  // namespace entente
