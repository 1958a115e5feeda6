// SPDX-License-Identifier: Apache-2.0
// What a site sets for its line holds for the real worker.
#include <gtest/gtest.h>
#include <httplib.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

class BandwidthTest : public FederationTest {
 protected:
  // A model of 50,002 numbers, 200 kB, that is not evaluated.
  std::string WriteLargeRecipe() {
    std::ifstream small(WriteRecipe(1, "  quorum: {count: 1}\n"));
    const std::string text{std::istreambuf_iterator<char>(small), std::istreambuf_iterator<char>()};
    return folder_.Write(
        "large.yaml",
        absl::StrCat(absl::StrReplaceAll(text, {{"hidden: [8]", "hidden: [10000]"},
                                                {"learningRate: 0.2", "learningRate: 0.0001"}}),
                     "evaluation: {everyRounds: 0}\n"));
  }

  // How long the worker was at `activity`, by its own metrics; 0 before it has gone on to another.
  double SecondsOf(const std::string& activity) {
    int port = 0;
    std::ifstream(folder_.File("http.port")) >> port;
    const httplib::Result metrics = httplib::Client("127.0.0.1", port).Get("/metrics");
    if (!metrics) return 0;
    const std::string series =
        absl::StrCat("entente_worker_activity_duration_seconds_sum{activity=\"", activity, "\"} ");
    const size_t at = metrics->body.find(series);
    if (at == std::string::npos) return 0;
    return std::strtod(metrics->body.c_str() + at + series.size(), nullptr);
  }
};

TEST_F(BandwidthTest, WorkerKeepsToItsLimitOfEachWay) {
  StartCoordinator();
  StartWorker("fr-lab", {.more = "bandwidth: {uploadBytesMax: 64 KiB, downloadBytesMax: 128 KiB}\n"
                                 "http: {listen: \"127.0.0.1:0\", portFile: http.port}\n"});
  WaitForWorkers(1);

  const std::string job = Submit(WriteLargeRecipe());
  const nlohmann::json ended = WaitForEnd(job);

  // Accepted: what came has the digest of what was sent.
  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_EQ(StateIn(job, 1, "fr-lab"), "accepted");
  EXPECT_GT(ended.value("bytesUp", 0), 200'000);
  // A second's worth passes at once: of 200 kB, 134 kB wait at 64 KiB a second and 69 kB at 128.
  // A busy machine only adds to it. The worker is told the job's end before it counts the upload's.
  EXPECT_TRUE(WaitUntil([&] { return SecondsOf("uploading") >= 1.9; })) << SecondsOf("uploading");
  EXPECT_GE(SecondsOf("downloading"), 0.5);
}

}  // namespace
}  // namespace entente
