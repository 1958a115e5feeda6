// SPDX-License-Identifier: Apache-2.0
// Every encoding through the real programs.
#include <filesystem>
#include <fstream>

#include "tests/integration/federation.h"

namespace entente {
namespace {

class EncodingTest : public FederationTest {
 protected:
  std::string RecipeIn(int rounds, const std::string& updates) {
    const std::string recipe = WriteRecipe(rounds, "  quorum: {count: 2}\n  lease: 20s\n");
    std::ofstream(recipe, std::ios::app) << "updates: {" << updates << "}\n";
    return recipe;
  }
};

TEST_F(EncodingTest, EveryEncodingTrainsAModelWithFewerBytes) {
  StartCoordinator();
  for (const char* member : {"br-lab", "fr-lab"}) StartWorker(member);
  WaitForWorkers(2);
  const std::string fp32 = Submit(RecipeIn(4, "encoding: fp32"), "fp32");
  const int plain_bytes = WaitForEnd(fp32).value("bytesUp", 0);
  for (const std::string words : {"encoding: bf16", "encoding: fp16", "encoding: int8",
                                  "encoding: int4", "encoding: topk, topk: {fraction: 0.5}",
                                  "encoding: topk, topk: {fraction: 0.5, values: 2bit}"}) {
    const nlohmann::json job = WaitForEnd(Submit(RecipeIn(4, words), words));

    EXPECT_EQ(job.value("state", ""), "completed") << words << job.dump(2);
    EXPECT_GT(job["evaluation"].value("accuracy", 0.0), 0.5) << words << job.dump(2);
    EXPECT_LT(job.value("bytesUp", 0), plain_bytes) << words;
  }
}

TEST_F(EncodingTest, TopkGoesOnOverRestartsOfWorkerAndCoordinatorAndLeavesNothing) {
  StartCoordinator();
  for (const char* member : {"br-lab", "fr-lab"}) StartWorker(member);
  WaitForWorkers(2);
  const std::string job = Submit(RecipeIn(12, "encoding: topk, topk: {fraction: 0.25}"));
  const auto committed = [&] {
    return EntenteJson({"job", "show", job}).value("roundsCommitted", 0);
  };
  ASSERT_TRUE(WaitUntil([&] { return committed() >= 2; }));
  StopWorker("fr-lab");
  StartWorker("fr-lab");
  ASSERT_TRUE(WaitUntil([&] { return committed() >= 5; }));
  StopCoordinator();
  StartCoordinator();

  const nlohmann::json ended = WaitForEnd(job);

  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_FALSE(worker("fr-lab").WaitForOutput("is lost", absl::Seconds(1)));
  EXPECT_TRUE(WaitUntil([&] {
    return std::filesystem::is_empty(folder_.File("work/fr-lab/residuals"));
  })) << "the job's end was not said";
}

}  // namespace
}  // namespace entente
