// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/federation.h"

#include <sys/stat.h>

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace entente {
namespace {

const std::vector<std::pair<std::string, std::string>>& Members() {
  static const auto* const members = new std::vector<std::pair<std::string, std::string>>{
      {"br-lab", "BR"}, {"fr-lab", "FR"}, {"in-lab", "IN"}, {"kr-lab", "KR"}};
  return *members;
}

// A table that a small network learns: the class is whether x + y > 0, shifted a little by member.
std::string TableOf(int member, int rows) {
  std::string table = "x,y,class\n";
  for (int i = 0; i < rows; ++i) {
    const double x = ((i * 37 + member * 11) % 101) / 50.0 - 1;
    const double y = ((i * 53 + member * 29) % 97) / 48.0 - 1;
    absl::StrAppend(&table, x, ",", y, ",", x + y > 0 ? 1 : 0, "\n");
  }
  return table;
}

}  // namespace

FederationTest::FederationTest() {
  Pki({"init", "--trust-domain", "alliance.example", "--name", "Alliance", "--directory",
       folder_.File("alliance")});
  Pki({"issue", "--authority", folder_.File("alliance"), "--role", "coordinator", "--name", "c",
       "--dns", "localhost", "--ip", "127.0.0.1", "--output", folder_.File("alliance")});
  Pki({"issue", "--authority", folder_.File("alliance"), "--role", "submitter", "--name", "s",
       "--output", folder_.File("alliance")});
  int index = 0;
  for (const auto& [member, jurisdiction] : Members()) {
    Pki({"init", "--trust-domain", member + ".example", "--name", member, "--directory",
         folder_.File(member)});
    Pki({"issue", "--authority", folder_.File(member), "--role", "worker", "--name", "w",
         "--output", folder_.File(member)});
    folder_.Write(absl::StrCat("data/", member, "/train.csv"), TableOf(index, 60 + 20 * index));
    folder_.Write(absl::StrCat("data/", member, "/held-out.csv"), TableOf(index + 7, 20));
    ++index;
  }
  folder_.Write("allow-all.yaml",
                "apiVersion: entente/v1\nkind: LocalPolicy\nrules:\n  - name: everything\n"
                "    effect: allow\n");
  folder_.Write("no-testing.yaml",
                "apiVersion: entente/v1\nkind: LocalPolicy\nrules:\n  - name: everything\n"
                "    effect: allow\n  - name: no-testing\n    effect: deny\n"
                "    purposes: [\"testing*\"]\n");
}

std::string FederationTest::Program(const std::string& name) {
  return absl::StrCat(ENTENTE_BINARY_DIR, "/", name);
}

void FederationTest::Pki(const std::vector<std::string>& words) {
  std::vector<std::string> argv = {Program("entente"), "pki"};
  argv.insert(argv.end(), words.begin(), words.end());
  const Finished finished = RunProgram(argv);
  ASSERT_EQ(finished.exit_status, 0) << finished.standard_error;
}

void FederationTest::StartCoordinator() {
  std::string members;
  for (const auto& [member, jurisdiction] : Members()) {
    absl::StrAppend(&members, "  - id: ", member, "\n    jurisdiction: ", jurisdiction,
                    "\n    trustDomain: ", member, ".example\n    authority: ", member,
                    "/authority.crt\n");
  }
  folder_.Write("coordinator.yaml",
                absl::StrCat("apiVersion: entente/v1\nkind: Coordinator\nlisten: 127.0.0.1:", port_,
                             "\nportFile: port\ndataDirectory: coordinator\n"
                             "tls:\n  certificate: alliance/coordinator-c.crt\n"
                             "  privateKey: alliance/coordinator-c.key\n"
                             "alliance:\n  trustDomain: alliance.example\n"
                             "  authority: alliance/authority.crt\n"
                             "heartbeatInterval: 500ms\nmembers:\n",
                             members, coordinator_more_));
  coordinator_ =
      std::make_unique<Process>(std::vector<std::string>{Program("entente-coordinator"), "--config",
                                                         folder_.File("coordinator.yaml")},
                                folder_.File("coordinator.log"));
  ASSERT_TRUE(coordinator_->WaitForOutput("coordinator ready")) << coordinator_->Output();
  std::ifstream(folder_.File("port")) >> port_;
}

void FederationTest::StartWorker(const std::string& member, const WorkerOptions& options) {
  const std::string owner = options.certificate_of.empty() ? member : options.certificate_of;
  std::string command;
  if (!options.trainer_command.empty()) {
    command =
        absl::StrCat("  command: [\"", absl::StrJoin(options.trainer_command, "\", \""), "\"]\n");
  }
  const std::string target =
      options.coordinator.empty() ? absl::StrCat("127.0.0.1:", port_) : options.coordinator;
  folder_.Write(member + ".yaml",
                absl::StrCat("apiVersion: entente/v1\nkind: Worker\ncoordinator: ", target,
                             "\ntls:\n  certificate: ", owner, "/", options.certificate,
                             ".crt\n  privateKey: ", owner, "/", options.certificate,
                             ".key\n  authority: alliance/authority.crt\nworkDirectory: work/",
                             member, "\npolicy: ", options.policy,
                             ".yaml\ntrainer:\n  sandbox: ", options.sandbox, "\n", command,
                             "datasets:\n  - name: table\n    format: csv\n    directory: data/",
                             member, "\n", options.more));
  workers_.erase(member);  // The old one is gone before the new one starts.
  workers_[member] =
      std::make_unique<Process>(std::vector<std::string>{Program("entente-worker"), "--config",
                                                         folder_.File(member + ".yaml")},
                                folder_.File(member + ".log"));
}

std::vector<std::string> FederationTest::EntenteCommand(std::vector<std::string> arguments,
                                                        const std::string& as) const {
  std::vector<std::string> argv = {Program("entente"),
                                   "--coordinator",
                                   absl::StrCat("127.0.0.1:", port_),
                                   "--certificate",
                                   folder_.File(absl::StrCat("alliance/", as, ".crt")),
                                   "--private-key",
                                   folder_.File(absl::StrCat("alliance/", as, ".key")),
                                   "--authority",
                                   folder_.File("alliance/authority.crt")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Finished FederationTest::Entente(std::vector<std::string> arguments, const std::string& as) {
  return RunProgram(EntenteCommand(std::move(arguments), as));
}

nlohmann::json FederationTest::EntenteJson(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-o", "json"});
  const Finished finished = Entente(arguments);
  EXPECT_EQ(finished.exit_status, 0)
      << absl::StrJoin(arguments, " ") << ": " << finished.standard_error;
  return nlohmann::json::parse(finished.standard_output, nullptr, /*allow_exceptions=*/false);
}

void FederationTest::WaitForWorkers(int count) {
  const bool attached = WaitUntil([&] {
    int connected = 0;
    const nlohmann::json members = EntenteJson({"member", "list"});
    for (const auto& member : members.value("members", nlohmann::json::array())) {
      for (const auto& worker : member.value("workers", nlohmann::json::array())) {
        connected += worker.value("connected", false) ? 1 : 0;
      }
    }
    return connected >= count;
  });
  ASSERT_TRUE(attached) << "not " << count << " workers; coordinator:\n" << coordinator_->Output();
}

std::string FederationTest::WriteRecipe(int rounds, const std::string& pacing) {
  return folder_.Write(
      "recipe.yaml",
      absl::StrCat(
          "apiVersion: entente/v1\nkind: Recipe\nname: table\npurpose: testing/integration\n"
          "dataset: table\nmodel:\n  builtin:\n    architecture: mlp\n    inputShape: [2]\n"
          "    outputs: 2\n    hidden: [8]\ntask: classification\ntraining:\n  epochs: 2\n"
          "  learningRate: 0.2\nrounds: ",
          rounds, "\npacing:\n", pacing));
}

std::string FederationTest::Submit(const std::string& recipe, const std::string& token) {
  const nlohmann::json response = EntenteJson({"job", "submit", recipe, "--token", token});
  return response.value("job", nlohmann::json::object()).value("id", "");
}

nlohmann::json FederationTest::WaitForEnd(const std::string& job) {
  nlohmann::json shown;
  const bool ended = WaitUntil([&] {
    shown = EntenteJson({"job", "show", job});
    return shown.value("state", "running") != "running";
  });
  EXPECT_TRUE(ended) << shown.dump(2) << coordinator_->Output();
  return shown;
}

std::string FederationTest::StateIn(const std::string& job, int round, const std::string& member) {
  const nlohmann::json shown = EntenteJson({"round", "show", job, absl::StrCat(round)});
  for (const auto& participant : shown.value("participants", nlohmann::json::array())) {
    if (participant.value("member", "") == member) return participant.value("state", "");
  }
  return "";
}

bool FederationTest::IsHeldIn(const std::string& job, int round) {
  return StateIn(job, round, "br-lab") == "accepted" && StateIn(job, round, "fr-lab") == "working";
}

std::string FederationTest::SubmitAndHoldInSecondRound() {
  const WorkerOptions hanging = {.trainer_command = HangingTrainer(), .sandbox = "none"};
  StartWorker("br-lab");
  StartWorker("fr-lab", hanging);
  WaitForWorkers(2);
  const std::string job =
      Submit(WriteRecipe(6, "  quorum: {count: 2}\n  deadline: 1h\n  lease: 10m\n"));
  EXPECT_TRUE(WaitUntil([&] { return IsHeldIn(job, 1); }));
  // So that no other round is opened before the trainer hangs again.
  EXPECT_EQ(Entente({"job", "pause", job}).exit_status, 0);
  StartWorker("fr-lab");
  EXPECT_TRUE(WaitUntil([&] {
    return EntenteJson({"job", "show", job}).value("roundsCommitted", 0) == 1;
  }));
  StartWorker("fr-lab", hanging);
  EXPECT_EQ(Entente({"job", "resume", job}).exit_status, 0);
  EXPECT_TRUE(WaitUntil([&] { return IsHeldIn(job, 2); }));
  return job;
}

void FederationTest::ExpectHeldJobEndsAsIfUndisturbed(const std::string& job) {
  const nlohmann::json held = EntenteJson({"job", "show", job});
  EXPECT_EQ(held.value("state", ""), "running") << held.dump(2);
  EXPECT_EQ(held.value("roundsCommitted", 0), 1) << held.dump(2);
  EXPECT_EQ(StateIn(job, 2, "br-lab"), "accepted") << "it is not asked again";

  StartWorker("fr-lab");
  const nlohmann::json ended = WaitForEnd(job);
  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_EQ(ended.value("roundsCommitted", 0), 6);
  const nlohmann::json expected = WaitForEnd(Submit(folder_.File("recipe.yaml"), "undisturbed"));
  EXPECT_EQ(ended.value("modelDigest", "a"), expected.value("modelDigest", "b"));
}

std::vector<std::string> FederationTest::HangingTrainer() {
  const std::string script = folder_.Write(
      "hanging-trainer.sh",
      "#!/bin/sh\n"
      "echo '{\"type\":\"hello\",\"protocol\":1,\"trainer\":\"hanging 1\",\"libtorch\":\"none\"}'\n"
      "while read -r line; do :; done\n");
  chmod(script.c_str(), 0755);
  return {script};
}

}  // namespace entente
