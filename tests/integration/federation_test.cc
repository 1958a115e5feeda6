// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/federation.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "absl/strings/match.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

constexpr char kQuorumOfThree[] = "  quorum: {count: 3}\n  lease: 20s\n";
constexpr char kQuorumOfTwo[] = "  quorum: {count: 2}\n  lease: 10s\n  grace: 5m\n";

TEST_F(FederationTest, ThreeMembersTrainAModelAndTheSameOneTwice) {
  StartCoordinator();
  for (const char* member : {"br-lab", "fr-lab", "kr-lab"}) StartWorker(member);
  WaitForWorkers(3);
  const std::string recipe = WriteRecipe(3, kQuorumOfThree);

  const std::string first = Submit(recipe, "first");
  const nlohmann::json job = WaitForEnd(first);
  const std::string second = Submit(recipe, "second");
  const nlohmann::json again = WaitForEnd(second);

  EXPECT_EQ(job.value("state", ""), "completed") << job.dump(2);
  EXPECT_EQ(job.value("roundsCommitted", 0), 3);
  EXPECT_GT(job.value("bytesUp", 0), 0);
  EXPECT_GT(job["evaluation"].value("accuracy", 0.0), 0.5) << job.dump(2);
  EXPECT_NE(first, second);
  EXPECT_EQ(job.value("modelDigest", "a"), again.value("modelDigest", "b"));
}

TEST_F(FederationTest, PulledModelIsTheJobsAndOpensWithTheTrainer) {
  StartCoordinator();
  StartWorker("fr-lab");
  WaitForWorkers(1);
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));
  const nlohmann::json ended = WaitForEnd(job);
  const std::string model = folder_.File("model.safetensors");

  const Finished pulled = Entente({"model", "pull", job, "--output", model});

  ASSERT_EQ(pulled.exit_status, 0) << pulled.standard_error;
  const Finished digest = RunProgram({"/usr/bin/sha256sum", model});
  EXPECT_THAT(digest.standard_output, HasSubstr(ended.value("modelDigest", "none")));
  EXPECT_EQ(RunProgram({Program("entente-trainer"), "inspect", model}).exit_status, 0);
}

TEST_F(FederationTest, SameTokenIsTheSameJob) {
  StartCoordinator();
  const std::string recipe = WriteRecipe(1, kQuorumOfThree);

  EXPECT_EQ(Submit(recipe, "once"), Submit(recipe, "once"));
}

TEST_F(FederationTest, KilledWorkerIsMissingQuorumClosesAndItRejoins) {
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab");
  StartWorker("kr-lab", {.trainer_command = HangingTrainer(), .sandbox = "none"});
  WaitForWorkers(3);
  const std::string job = Submit(WriteRecipe(40, kQuorumOfTwo));
  ASSERT_TRUE(WaitUntil([&] {
    return StateIn(job, 1, "br-lab") == "accepted" && StateIn(job, 1, "fr-lab") == "accepted";
  }));
  EXPECT_EQ(StateIn(job, 1, "kr-lab"), "working");

  // A fourth worker comes in the middle of the round; the third is killed in the middle of its
  // work.
  StartWorker("in-lab");
  WaitForWorkers(4);
  worker("kr-lab").Signal(SIGKILL);

  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 1, "kr-lab") == "missing"; }));
  const nlohmann::json first = EntenteJson({"round", "show", job, "1"});
  EXPECT_EQ(first.value("phase", ""), "committed") << first.dump(2);
  EXPECT_THAT(first.dump(), HasSubstr("was silent for its lease of 10s"));
  EXPECT_EQ(StateIn(job, 1, "in-lab"), "") << "it was not there when the round opened";
  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 2, "in-lab") == "accepted"; }));

  StartWorker("kr-lab");
  EXPECT_TRUE(WaitUntil([&] {
    const int round = EntenteJson({"job", "show", job}).value("roundsCommitted", 0);
    return round > 0 && StateIn(job, round, "kr-lab") == "accepted";
  }));
}

TEST_F(FederationTest, RefusalByALocalPolicyReachesTheSubmitterWithItsRule) {
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab", {.policy = "no-testing"});
  WaitForWorkers(2);
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n  grace: 5m\n"));

  const nlohmann::json ended = WaitForEnd(job);

  EXPECT_EQ(ended.value("state", ""), "completed");
  EXPECT_EQ(StateIn(job, 1, "fr-lab"), "declined");
  EXPECT_THAT(Entente({"round", "show", job, "1"}).standard_output, HasSubstr("no-testing"));
}

TEST_F(FederationTest, WorkerWhoseTaskFailsIsNotAwaited) {
  StartCoordinator();
  folder_.Write("data/kr-lab/train.csv", "x,y,class\n1,two,0\n");
  StartWorker("br-lab");
  StartWorker("kr-lab");
  WaitForWorkers(2);

  const std::string enough = Submit(WriteRecipe(1, "  quorum: {count: 1}\n  grace: 50m\n"), "1");
  EXPECT_EQ(WaitForEnd(enough).value("state", ""), "completed");
  EXPECT_EQ(StateIn(enough, 1, "kr-lab"), "failed");

  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 2}\n  attempts: 2\n"), "2");
  const nlohmann::json ended = WaitForEnd(job);
  EXPECT_EQ(ended.value("state", ""), "failed");
  EXPECT_THAT(ended.value("reason", ""), HasSubstr("failed kr-lab/w (the trainer says: "));
  const Finished watched = Entente({"job", "watch", job});
  EXPECT_THAT(watched.standard_output, HasSubstr("kr-lab/w failed: the trainer says: "));
}

TEST_F(FederationTest, CancelStopsTheJobAndTheTrainers) {
  StartCoordinator();
  StartWorker("fr-lab", {.trainer_command = HangingTrainer(), .sandbox = "none"});
  WaitForWorkers(1);
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));
  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 1, "fr-lab") == "working"; }));

  ASSERT_EQ(Entente({"job", "cancel", job}).exit_status, 0);

  EXPECT_EQ(WaitForEnd(job).value("state", ""), "cancelled");
  EXPECT_NE(Entente({"job", "cancel", job}).exit_status, 0) << "it has ended already";
}

TEST_F(FederationTest, SandboxNoneIsShownToTheOperator) {
  StartCoordinator();
  StartWorker("fr-lab", {.sandbox = "none"});
  WaitForWorkers(1);

  EXPECT_TRUE(worker("fr-lab").WaitForOutput("sandbox"));
  EXPECT_THAT(EntenteJson({"member", "show", "fr-lab"}).dump(), HasSubstr("\"sandbox\":\"none\""));
}

}  // namespace
}  // namespace entente
