// SPDX-License-Identifier: Apache-2.0
// Jobs that pause, workers that are away, and trainings that are broken off.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LifecycleTest : public FederationTest {
 protected:
  // `entente-worker away|back`, as the lab's operator.
  Finished SayAs(const std::string& member, std::vector<std::string> words) {
    words.insert(words.begin(), Program("entente-worker"));
    words.insert(words.end(), {"--config", folder_.File(member + ".yaml")});
    return RunProgram(words);
  }
  std::string ShownRound(const std::string& job) {
    return Entente({"round", "show", job}).standard_output;
  }
  int Committed(const std::string& job) {
    return EntenteJson({"job", "show", job}).value("roundsCommitted", 0);
  }
  std::string State(const std::string& job) {
    return EntenteJson({"job", "show", job}).value("state", "");
  }
};

TEST_F(LifecycleTest, PausedJobWaitsThroughARestartAndGoesOn) {
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab");
  WaitForWorkers(2);
  const std::string job = Submit(WriteRecipe(100'000, "  quorum: {count: 2}\n  deadline: 1h\n"));
  ASSERT_TRUE(WaitUntil([&] { return Committed(job) >= 1; }));

  ASSERT_EQ(Entente({"job", "pause", job, "--reason", "the power is cut"}).exit_status, 0);
  EXPECT_THAT(Entente({"job", "pause", job, "--reason", "a holiday"}).standard_output,
              AllOf(HasSubstr("was already paused by spiffe://"), HasSubstr("the power is cut"),
                    HasSubstr("the reason given now is not recorded")));
  const auto is_held = [&] {
    return absl::StrContains(ShownRound(job), "waiting for the job to be resumed");
  };
  ASSERT_TRUE(WaitUntil(is_held)) << ShownRound(job);
  const int committed = Committed(job);
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  StartCoordinator();
  WaitForWorkers(2);

  EXPECT_TRUE(is_held()) << ShownRound(job);
  EXPECT_EQ(Committed(job), committed);
  EXPECT_THAT(Entente({"job", "list"}).standard_output, HasSubstr("paused"));
  EXPECT_THAT(Entente({"job", "show", job}).standard_output, HasSubstr("the power is cut"));
  ASSERT_EQ(Entente({"job", "resume", job}).exit_status, 0);
  EXPECT_TRUE(WaitUntil([&] { return Committed(job) > committed; }));
  EXPECT_EQ(State(job), "running");

  ASSERT_EQ(Entente({"job", "cancel", job}).exit_status, 0);
  const Finished refused = Entente({"job", "pause", job});
  EXPECT_NE(refused.exit_status, 0);
  EXPECT_THAT(refused.standard_error, HasSubstr("the job has ended already (cancelled)"));
}

TEST_F(LifecycleTest, PauseNowStopsTheTrainersAndCostsNoAttempt) {
  StartCoordinator();
  StartWorker("fr-lab", {.trainer_command = HangingTrainer(), .sandbox = "none"});
  WaitForWorkers(1);
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n  attempts: 1\n"));
  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 1, "fr-lab") == "working"; }));

  ASSERT_EQ(Entente({"job", "pause", job, "--now"}).exit_status, 0);
  EXPECT_EQ(State(job), "paused");
  EXPECT_TRUE(worker("fr-lab").WaitForOutput("task cancelled"));
  StopWorker("fr-lab");
  StartWorker("fr-lab");
  WaitForWorkers(1);
  ASSERT_EQ(Entente({"job", "resume", job}).exit_status, 0);

  EXPECT_EQ(WaitForEnd(job).value("state", ""), "completed");
}

TEST_F(LifecycleTest, AwayWorkerIsSkippedUntilItIsBack) {
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab", {.trainer_command = HangingTrainer(), .sandbox = "none"});
  WaitForWorkers(2);
  const std::string job =
      Submit(WriteRecipe(100'000, "  quorum: {share: 1}\n  deadline: 1h\n  lease: 20s\n"));
  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 1, "fr-lab") == "working"; }));
  ASSERT_TRUE(WaitUntil([&] { return StateIn(job, 1, "br-lab") == "accepted"; }));
  EXPECT_THAT(ShownRound(job), HasSubstr("waiting for fr-lab/w"));

  const Finished said =
      SayAs("fr-lab", {"away", "--until", "2099-11-30T08:00Z", "--reason", "the GPU is lent"});
  EXPECT_EQ(said.exit_status, 0) << said.standard_error;
  EXPECT_EQ(said.standard_output,
            "this worker is away until Mon 30 Nov 08:00 UTC: the GPU is lent\n");

  // The round is closed without it, and the next ones opened.
  ASSERT_TRUE(WaitUntil([&] { return Committed(job) >= 2; })) << ShownRound(job);
  EXPECT_EQ(StateIn(job, 1, "fr-lab"), "skipped");
  EXPECT_EQ(StateIn(job, 2, "fr-lab"), "");
  EXPECT_THAT(Entente({"member", "list"}).standard_output,
              HasSubstr("away until Mon 30 Nov 08:00 UTC: the GPU is lent"));

  // A restart changes nothing about it.
  StopWorker("fr-lab");
  StartWorker("fr-lab");
  WaitForWorkers(2);
  EXPECT_THAT(Entente({"member", "list"}).standard_output, HasSubstr("the GPU is lent"));
  EXPECT_EQ(SayAs("fr-lab", {"back"}).standard_output, "this worker is back\n");
  const Finished again = SayAs("fr-lab", {"back"});
  EXPECT_EQ(again.exit_status, 0) << again.standard_error;
  EXPECT_EQ(again.standard_output, "this worker was not away\n");
  EXPECT_TRUE(WaitUntil([&] {
    const int round = Committed(job);
    return round > 0 && StateIn(job, round, "fr-lab") == "accepted";
  }));
}

TEST_F(LifecycleTest, WrongAwayIsRefusedInASentence) {
  StartCoordinator();
  StartWorker("fr-lab");
  const Finished when = SayAs("fr-lab", {"away", "--until", "Monday"});
  EXPECT_EQ(when.exit_status, 2);
  EXPECT_THAT(when.standard_error, HasSubstr("--until is \"Monday\"; it must be a time such as"));
  const Finished past = SayAs("fr-lab", {"away", "--until", "2020-01-01"});
  EXPECT_THAT(past.standard_error, HasSubstr("has passed"));
  const Finished both = SayAs("fr-lab", {"away", "--until", "2099-01-01", "--for", "1h"});
  EXPECT_THAT(both.standard_error, HasSubstr("not both"));
  const Finished length = SayAs("fr-lab", {"away", "--for", "soon"});
  EXPECT_THAT(length.standard_error, HasSubstr("--for is \"soon\""));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("work/fr-lab/away.json")));
}

TEST_F(LifecycleTest, TrainingThatWasKilledGoesOnFromItsCheckpointWithTheSameUpdate) {
  const std::string recipe = folder_.Write(
      "long.yaml",
      "apiVersion: entente/v1\nkind: Recipe\nname: long\npurpose: testing/integration\n"
      "dataset: table\nmodel:\n  builtin:\n    architecture: mlp\n    inputShape: [2]\n"
      "    outputs: 2\n    hidden: [8]\ntask: classification\ntraining:\n  steps: 20000\n"
      "  momentum: 0.9\n  learningRate: 0.01\n  checkpointEvery: 100ms\nrounds: 1\n"
      "pacing:\n  quorum: {count: 1}\n  lease: 30s\n");
  StartCoordinator();
  StartWorker("fr-lab");
  WaitForWorkers(1);
  const auto update_of = [&](const std::string& job) {
    const nlohmann::json round = EntenteJson({"round", "show", job, "1"});
    return round["participants"][0].value("updateDigest", "");
  };
  const std::string undisturbed = Submit(recipe, "undisturbed");
  const nlohmann::json expected = WaitForEnd(undisturbed);
  ASSERT_EQ(expected.value("state", ""), "completed") << expected.dump(2);

  const std::string job = Submit(recipe, "disturbed");
  const auto checkpoints = [&] {
    int count = 0;
    for (const char* folder : {"work/fr-lab/trainer", "work/fr-lab/checkpoints"}) {
      for (const auto& file : std::filesystem::directory_iterator(folder_.File(folder))) {
        count += file.path().extension() == ".checkpoint" ? 1 : 0;
      }
    }
    return count;
  };
  ASSERT_TRUE(WaitUntil([&] { return checkpoints() > 0; }));
  worker("fr-lab").Signal(SIGKILL);  // Its trainer dies with it.
  worker("fr-lab").WaitForExit();
  ASSERT_EQ(EntenteJson({"job", "show", job}).value("state", ""), "running")
      << "it was killed in the middle";
  StartWorker("fr-lab");

  const nlohmann::json ended = WaitForEnd(job);
  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_THAT(worker("fr-lab").Output(), HasSubstr("training goes on from its checkpoint"));
  EXPECT_NE(update_of(job), "");
  EXPECT_EQ(update_of(job), update_of(undisturbed));
  EXPECT_EQ(ended.value("modelDigest", "a"), expected.value("modelDigest", "b"));
  EXPECT_EQ(checkpoints(), 0);
}

}  // namespace
}  // namespace entente
