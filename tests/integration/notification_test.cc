// SPDX-License-Identifier: Apache-2.0
// Who is told of what happens to a real federation.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

class NotificationTest : public FederationTest {
 protected:
  NotificationTest() {
    const std::string program =
        folder_.Write("tell.sh", "#!/bin/sh\ncat >> \"$(dirname \"$0\")/told\"\n");
    chmod(program.c_str(), 0755);
    coordinator_more_ = "notifications: {workerGoneAfter: 0s, command: {command: [tell.sh]}}\n";
  }

  // The first notification of `event`; null: there is none.
  nlohmann::json Told(const std::string& event) {
    std::ostringstream text;
    text << std::ifstream(folder_.File("told")).rdbuf();
    for (const absl::string_view line : absl::StrSplit(text.str(), '\n', absl::SkipEmpty())) {
      const auto told = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (told.is_object() && told.value("event", "") == event) return told;
    }
    return nullptr;
  }
  // Likewise, once it has come.
  nlohmann::json WaitFor(const std::string& event) {
    EXPECT_TRUE(WaitUntil([&] { return !Told(event).is_null(); })) << coordinator().Output();
    return Told(event);
  }
};

TEST_F(NotificationTest, TheEndOfAJobAndALostWorkerAreTold) {
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab");
  WaitForWorkers(2);
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 2}\n"));

  const nlohmann::json finished = WaitFor("job_finished");
  EXPECT_EQ(finished.value("job", ""), job);
  EXPECT_EQ(finished.value("coordinator", ""), "spiffe://alliance.example/coordinator/c");
  EXPECT_EQ(finished.value("trace", "").size(), 32U);

  worker("fr-lab").Signal(SIGKILL);
  EXPECT_EQ(WaitFor("worker_gone").value("worker", ""), "fr-lab/w");

  coordinator().Signal(SIGTERM);
  EXPECT_EQ(coordinator().WaitForExit(), 0);
}

TEST_F(NotificationTest, AnAbortedRoundAndAFailedJobAreToldWithTheirReasons) {
  StartCoordinator();
  const std::string job =
      Submit(WriteRecipe(1, "  quorum: {count: 2}\n  deadline: 1s\n  attempts: 1\n"));

  const nlohmann::json aborted = WaitFor("round_aborted");
  EXPECT_EQ(aborted.value("job", ""), job);
  EXPECT_EQ(aborted.value("round", 0), 1);
  EXPECT_FALSE(aborted.value("reason", "").empty());
  EXPECT_EQ(WaitFor("job_failed").value("job", ""), job);
}

TEST_F(NotificationTest, AKeyThatOthersCanReadStopsTheStartAndTheCheck) {
  StartCoordinator();
  StopCoordinator();
  const std::string secret = folder_.Write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  chmod(secret.c_str(), 0644);
  std::ostringstream text;
  text << std::ifstream(folder_.File("coordinator.yaml")).rdbuf();
  folder_.Write("coordinator.yaml",
                absl::StrCat(text.str().substr(0, text.str().find("notifications:")),
                             "notifications:\n  webhook: {url: 'https://example.org/', "
                             "secretFile: secret}\n"));
  for (const char* option : {"--check-config", "--log-level=info"}) {
    const Finished refused = RunProgram(
        {Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml"), option});
    EXPECT_EQ(refused.exit_status, 2) << option;
    EXPECT_THAT(refused.standard_error,
                HasSubstr("other users may read or change the webhook's key; run chmod 600"))
        << option;
  }
}

}  // namespace
}  // namespace entente
