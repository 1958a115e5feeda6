// SPDX-License-Identifier: Apache-2.0
// Who is told of what happens to a real federation.
#include <gmock/gmock.h>
#include <httplib.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/crypto/hmac.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

constexpr char kWebhookKey[] = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";  // Base64.

// What a webhook was told.
struct HookCall {
  std::string id;
  std::string timestamp;
  std::string signature;
  std::string body;

  nlohmann::json Json() const {
    return nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  }
  // What Standard Webhooks says that the signature is.
  std::string Expected() const {
    std::string key;
    EXPECT_TRUE(absl::Base64Unescape(kWebhookKey, &key));
    return absl::StrCat(
        "v1,",
        absl::Base64Escape(HmacSha256(key, absl::StrCat(id, ".", timestamp, ".", body)).Raw()));
  }
};

// A webhook on loopback: its first call hangs until it is let go and is answered with 503 then, all
// others with 204.
class HangingHook {
 public:
  HangingHook() : port_(server_.bind_to_any_port("127.0.0.1")) {
    server_.Post("/hook", [this](const httplib::Request& request, httplib::Response& response) {
      response.status = Take({.id = request.get_header_value("webhook-id"),
                              .timestamp = request.get_header_value("webhook-timestamp"),
                              .signature = request.get_header_value("webhook-signature"),
                              .body = request.body});
    });
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~HangingHook() {
    LetGo();
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }
  HangingHook(const HangingHook&) = delete;
  HangingHook& operator=(const HangingHook&) = delete;

  int port() const { return port_; }
  void LetGo() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    is_let_go_ = true;
  }
  std::vector<HookCall> Calls() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return calls_;
  }

 private:
  int Take(HookCall call) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    calls_.push_back(std::move(call));
    if (calls_.size() > 1) return 204;
    mu_.Await(absl::Condition(&is_let_go_));
    return 503;
  }

  mutable absl::Mutex mu_;
  std::vector<HookCall> calls_ ABSL_GUARDED_BY(mu_);
  bool is_let_go_ ABSL_GUARDED_BY(mu_) = false;
  httplib::Server server_;
  const int port_;
  std::thread thread_;
};

class NotificationTest : public FederationTest {
 protected:
  NotificationTest() {
    const std::string program =
        folder_.Write("tell.sh", "#!/bin/sh\ncat >> \"$(dirname \"$0\")/told\"\n");
    chmod(program.c_str(), 0755);
    coordinator_more_ = "notifications: {workerGoneAfter: 0s, command: {command: [tell.sh]}}\n";
  }

  // The first notification of `event`, and of that worker unless it is empty; null: there is none.
  nlohmann::json Told(const std::string& event, const std::string& worker) {
    std::ostringstream text;
    text << std::ifstream(folder_.File("told")).rdbuf();
    for (const absl::string_view line : absl::StrSplit(text.str(), '\n', absl::SkipEmpty())) {
      const auto told = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (!told.is_object() || told.value("event", "") != event) continue;
      if (worker.empty() || told.value("worker", "") == worker) return told;
    }
    return nullptr;
  }
  // Likewise, once it has come.
  nlohmann::json WaitFor(const std::string& event, const std::string& worker = "") {
    EXPECT_TRUE(WaitUntil([&] { return !Told(event, worker).is_null(); }))
        << coordinator().Output();
    return Told(event, worker);
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
  EXPECT_FALSE(WaitFor("worker_gone", "fr-lab/w").is_null());

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

TEST_F(NotificationTest, AWebhookThatHangsHoldsUpNoRoundAndIsTriedAgain) {
  HangingHook hook;
  chmod(folder_.Write("secret", absl::StrCat("whsec_", kWebhookKey, "\n")).c_str(), 0600);
  coordinator_more_ = absl::StrCat(
      "notifications:\n  events: [job_finished]\n  webhook: {url: 'http://127.0.0.1:", hook.port(),
      "/hook', secretFile: secret, timeout: 290s}\n");
  StartCoordinator();
  StartWorker("br-lab");
  StartWorker("fr-lab");
  WaitForWorkers(2);
  const std::string recipe = WriteRecipe(1, "  quorum: {count: 2}\n");
  const std::string first = Submit(recipe, "first");
  ASSERT_TRUE(WaitUntil([&] { return hook.Calls().size() == 1; })) << coordinator().Output();

  const std::string second = Submit(recipe, "second");
  EXPECT_EQ(WaitForEnd(second).value("state", ""), "completed");
  EXPECT_EQ(hook.Calls().size(), 1U);  // It hangs still.

  hook.LetGo();
  ASSERT_TRUE(WaitUntil([&] { return hook.Calls().size() == 3; })) << coordinator().Output();
  const std::vector<HookCall> calls = hook.Calls();
  EXPECT_EQ(calls[0].Json().value("job", ""), first);
  EXPECT_EQ(calls[0].Json().value("event", ""), "job_finished");
  EXPECT_EQ(calls[0].Json().value("round", 0), 1);
  EXPECT_EQ(calls[1].id, calls[0].id);
  EXPECT_EQ(calls[1].body, calls[0].body);
  EXPECT_EQ(calls[2].Json().value("job", ""), second);
  EXPECT_NE(calls[2].id, calls[0].id);
  for (const HookCall& call : calls) {
    EXPECT_EQ(call.signature, call.Expected());
    int64_t said_at = 0;
    EXPECT_TRUE(absl::SimpleAtoi(call.timestamp, &said_at)) << call.timestamp;
    EXPECT_LT(absl::ToUnixSeconds(absl::Now()) - said_at, 600);
  }
  EXPECT_THAT(coordinator().Output(), HasSubstr("a notification was not taken; trying again"));
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
