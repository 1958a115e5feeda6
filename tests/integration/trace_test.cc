// SPDX-License-Identifier: Apache-2.0
// Whose work a line of a log is about, and what no line may say.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class TraceTest : public FederationTest {
 protected:
  TraceTest() {
    coordinator_more_ = "logging: {level: debug}\n";
    setenv("TRACEPARENT", absl::StrCat("00-", kTrace, "-00f067aa0ba902b7-01").c_str(), 1);
  }
  ~TraceTest() override { unsetenv("TRACEPARENT"); }

  void StartLoudWorker(const std::string& member, const std::string& sandbox) {
    StartWorker(member, {.sandbox = sandbox, .more = "logging: {level: debug}\n"});
  }

  // What all three programs have logged; a trainer's lines are its worker's.
  std::string Logs() {
    return absl::StrCat(coordinator().Output(), worker("br-lab").Output(),
                        worker("fr-lab").Output());
  }

  void ExpectNothingPrivate(const std::string& logs) {
    EXPECT_THAT(logs, Not(HasSubstr(folder_.File("data"))));
    int keys = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (entry.path().extension() != ".key") continue;
      ++keys;
      for (const absl::string_view line : absl::StrSplit(TextOf(entry.path()), '\n')) {
        if (line.empty() || absl::StartsWith(line, "-----")) continue;
        EXPECT_FALSE(absl::StrContains(logs, line)) << entry.path();
      }
    }
    EXPECT_GT(keys, 5);
  }
};

TEST_F(TraceTest, OneTraceGoesFromTheCommandLineToTheTrainer) {
  StartCoordinator();
  StartLoudWorker("br-lab", "bubblewrap");
  StartLoudWorker("fr-lab", "none");
  WaitForWorkers(2);

  const nlohmann::json submitted = EntenteJson(
      {"job", "submit", WriteRecipe(2, "  quorum: {count: 2}\n"), "--token", "t"})["job"];
  const std::string job = submitted.value("id", "");
  EXPECT_EQ(submitted.value("traceId", ""), kTrace);
  ASSERT_EQ(WaitForEnd(job).value("state", ""), "completed");

  const std::string trace = absl::StrCat("trace=", kTrace);
  int about_the_job = 0;
  for (const absl::string_view line : absl::StrSplit(coordinator().Output(), '\n')) {
    if (!absl::StrContains(line, absl::StrCat("job=", job))) continue;
    ++about_the_job;
    EXPECT_TRUE(absl::StrContains(line, trace)) << line;
    if (!absl::StrContains(line, "job submitted")) {
      EXPECT_TRUE(absl::StrContains(line, "round=")) << line;
    }
    if (absl::StrContains(line, "update accepted")) {
      EXPECT_TRUE(absl::StrContains(line, "worker=")) << line;
    }
  }
  EXPECT_GT(about_the_job, 10);
  for (const std::string member : {"br-lab", "fr-lab"}) {
    int by_the_trainer = 0;
    for (const absl::string_view line : absl::StrSplit(worker(member).Output(), '\n')) {
      const bool says = absl::StrContains(line, "the trainer says");
      if (!says && !absl::StrContains(line, " task ")) continue;
      EXPECT_TRUE(absl::StrContains(line, absl::StrCat("job=", job))) << line;
      EXPECT_TRUE(absl::StrContains(line, "round=")) << line;
      EXPECT_TRUE(absl::StrContains(line, absl::StrCat("worker=", member, "/w"))) << line;
      EXPECT_TRUE(absl::EndsWith(line, trace)) << line;
      // The trainer's own line, quoted, with the trace that it found in its environment.
      const size_t own = line.find(trace);
      if (says && own != line.rfind(trace)) ++by_the_trainer;
    }
    EXPECT_GT(by_the_trainer, 0) << worker(member).Output();
  }
  ExpectNothingPrivate(Logs());
}

TEST_F(TraceTest, ARefusedSubmitIsLoggedWithItsTrace) {
  StartCoordinator();
  Submit(WriteRecipe(1, "  quorum: {count: 2}\n"), "t");
  setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", 1);

  const Finished refused =
      Entente({"job", "submit", WriteRecipe(2, "  quorum: {count: 2}\n"), "--token", "t"});

  EXPECT_NE(refused.exit_status, 0);
  EXPECT_THAT(refused.standard_error, HasSubstr("use a new token for a new job"));
  ASSERT_TRUE(coordinator().WaitForOutput("call refused")) << coordinator().Output();
  int refusals = 0;
  for (const absl::string_view line : absl::StrSplit(coordinator().Output(), '\n')) {
    if (!absl::StrContains(line, "call refused")) continue;
    ++refusals;
    EXPECT_TRUE(absl::StrContains(line, "was used for job")) << line;
    EXPECT_TRUE(absl::StrContains(line, "caller=spiffe://alliance.example/submitter/s")) << line;
    EXPECT_TRUE(absl::EndsWith(line, "trace=0af7651916cd43dd8448eb211c80319c")) << line;
  }
  EXPECT_EQ(refusals, 1);
}

TEST_F(TraceTest, WhereTheDataIsStaysOutOfTheLogsWhenItCannotBeRead) {
  for (const char* member : {"br-lab", "fr-lab"}) {
    folder_.Write(absl::StrCat("data/", member, "/train.csv"), "x,y,class\nno,numbers,here\n");
  }
  StartCoordinator();
  StartLoudWorker("br-lab", "bubblewrap");
  StartLoudWorker("fr-lab", "none");
  WaitForWorkers(2);
  // The attempt ends once both have failed.
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n  attempts: 1\n"));

  EXPECT_EQ(WaitForEnd(job).value("state", ""), "failed");

  EXPECT_THAT(worker("fr-lab").Output(), HasSubstr("/entente/data/train.csv"));
  EXPECT_THAT(coordinator().Output(), HasSubstr("task failed"));
  ExpectNothingPrivate(Logs());
}

}  // namespace
}  // namespace entente
