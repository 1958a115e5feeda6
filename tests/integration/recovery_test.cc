// SPDX-License-Identifier: Apache-2.0
// A coordinator that is killed or stopped goes on with its jobs when it is started again.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using RecoveryTest = FederationTest;

TEST_F(RecoveryTest, KilledCoordinatorGoesOnInTheSameJob) {
  StartCoordinator();
  const std::string job = SubmitAndHoldInSecondRound();

  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  StartCoordinator();

  ExpectHeldJobEndsAsIfUndisturbed(job);
}

TEST_F(RecoveryTest, OpenWatchDoesNotHoldUpTheStopAndGoesOnAfterTheRestart) {
  StartCoordinator();
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));
  Process watch(EntenteCommand({"job", "watch", job}), folder_.File("watch.log"));
  ASSERT_TRUE(watch.WaitForOutput("round 1/1 planned"));

  coordinator().Signal(SIGTERM);

  // Within drainTime, which is 10 s.
  EXPECT_EQ(coordinator().WaitForExit(absl::Seconds(9)), 0) << coordinator().Output();
  ASSERT_TRUE(watch.WaitForOutput("trying again"));
  StartCoordinator();
  ASSERT_EQ(Entente({"job", "cancel", job}).exit_status, 0);
  EXPECT_EQ(watch.WaitForExit(absl::Seconds(20)), 7) << watch.Output();
  EXPECT_THAT(watch.Output(), Not(HasSubstr("failed to connect to all addresses")));
}

TEST_F(RecoveryTest, StopIsCleanOnBothSidesAndTheWorkerComesBack) {
  StartCoordinator();
  StartWorker("fr-lab");
  WaitForWorkers(1);

  coordinator().Signal(SIGTERM);
  EXPECT_EQ(coordinator().WaitForExit(absl::Seconds(20)), 0) << coordinator().Output();
  StartCoordinator();
  WaitForWorkers(1);

  worker("fr-lab").Signal(SIGTERM);
  EXPECT_EQ(worker("fr-lab").WaitForExit(absl::Seconds(20)), 0) << worker("fr-lab").Output();
}

}  // namespace
}  // namespace entente
