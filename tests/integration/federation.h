// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTEGRATION_FEDERATION_H_
#define TESTS_INTEGRATION_FEDERATION_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/process.h"
#include "tests/support/temp_folder.h"

namespace entente {

// A federation of real processes in a temporary folder: certificates by `entente pki`, a
// coordinator on a free port, workers with a small table of numbers each.
class FederationTest : public ::testing::Test {
 protected:
  // Members whose certificates and data are made at the start.
  FederationTest();

  // Path of a program under test.
  static std::string Program(const std::string& name);

  // Starts it and waits until it listens. The port stays the same over restarts.
  void StartCoordinator();

  // Options of one worker; the defaults are those of a good one.
  struct WorkerOptions {
    std::string certificate_of;                // Member whose certificate it has; default: its own.
    std::string certificate = "worker-w";      // Stem of the certificate's and key's files.
    std::vector<std::string> trainer_command;  // Default: entente-trainer.
    std::string sandbox = "bubblewrap";
    std::string policy = "allow-all";
    std::string coordinator;  // Default: the coordinator's.
    std::string more;         // Further lines of its configuration.
  };
  // Writes <member>.yaml and starts the worker.
  void StartWorker(const std::string& member, const WorkerOptions& options);
  void StartWorker(const std::string& member) { StartWorker(member, WorkerOptions()); }
  Process& worker(const std::string& member) { return *workers_.at(member); }
  void StopWorker(const std::string& member) { workers_.erase(member); }
  Process& coordinator() { return *coordinator_; }
  void StopCoordinator() { coordinator_.reset(); }

  // Waits until these members' workers are connected.
  void WaitForWorkers(int count);

  // The words of `entente <arguments>` as the submitter (or another identity's file stem in the
  // alliance's folder), to run it beside the test.
  std::vector<std::string> EntenteCommand(std::vector<std::string> arguments,
                                          const std::string& as = "submitter-s") const;
  // Runs them to the end.
  Finished Entente(std::vector<std::string> arguments, const std::string& as = "submitter-s");
  // The same with -o json, parsed; fails the test unless it exits with 0.
  nlohmann::json EntenteJson(std::vector<std::string> arguments);

  // A recipe for the small table. `pacing` replaces lines of the default pacing.
  std::string WriteRecipe(int rounds, const std::string& pacing);

  // Submits and returns the job's id.
  std::string Submit(const std::string& recipe, const std::string& token = "t");
  // Waits for the end of the job and returns it.
  nlohmann::json WaitForEnd(const std::string& job);

  // "accepted", "missing", ... of a worker in a round (1-based); empty if it was not asked.
  std::string StateIn(const std::string& job, int round, const std::string& member);

  // Starts the workers br-lab and fr-lab and submits a job of six rounds that needs both. It stands
  // still in the middle of its second round: br-lab's update is in, and fr-lab's trainer hangs.
  std::string SubmitAndHoldInSecondRound();
  // The job is still held so, and once fr-lab has another trainer it ends with the model of one
  // that nobody disturbs.
  void ExpectHeldJobEndsAsIfUndisturbed(const std::string& job);

  // Runs `entente pki` with these words; fails the test unless it exits with 0.
  void Pki(const std::vector<std::string>& words);

  // A trainer that greets, and then never answers.
  std::vector<std::string> HangingTrainer();

  const TempFolder folder_;
  std::string port_ = "0";
  std::string coordinator_more_;  // Further lines of the coordinator's configuration.

 private:
  bool IsHeldIn(const std::string& job, int round);

  std::unique_ptr<Process> coordinator_;
  std::map<std::string, std::unique_ptr<Process>> workers_;
};

}  // namespace entente

#endif  // TESTS_INTEGRATION_FEDERATION_H_
