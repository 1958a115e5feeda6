// SPDX-License-Identifier: Apache-2.0
// Every encoding through the real programs.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/tensor/safetensors.h"
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

TEST_F(EncodingTest, ModelsInBf16AndCompressedChunksTrainAModelWithFewerBytes) {
  StartCoordinator();
  for (const char* member : {"br-lab", "fr-lab"}) StartWorker(member);
  WaitForWorkers(2);
  const nlohmann::json plain = WaitForEnd(Submit(RecipeIn(4, "encoding: fp32"), "fp32"));
  const std::string rounded = "encoding: bf16, download: bf16";

  const nlohmann::json first = WaitForEnd(Submit(RecipeIn(4, rounded), "first"));
  const nlohmann::json second = WaitForEnd(Submit(RecipeIn(4, rounded), "second"));
  const nlohmann::json compressed =
      WaitForEnd(Submit(RecipeIn(4, rounded + ", compression: zstd"), "zstd"));

  for (const nlohmann::json& job : {first, second, compressed}) {
    EXPECT_EQ(job.value("state", ""), "completed") << job.dump(2);
    EXPECT_GT(job["evaluation"].value("accuracy", 0.0), 0.5) << job.dump(2);
    // The same updates give the same model, however they travelled.
    EXPECT_EQ(job["modelDigest"], first["modelDigest"]);
  }
  EXPECT_LT(first.value("bytesDown", 0), plain.value("bytesDown", 0));
  EXPECT_LT(first.value("bytesUp", 0), plain.value("bytesUp", 0));
  EXPECT_LT(compressed.value("bytesUp", 0), first.value("bytesUp", 0));
  const std::string pulled = folder_.File("pulled.safetensors");
  ASSERT_EQ(
      Entente({"model", "pull", first.value("modelDigest", ""), "--output", pulled}).exit_status,
      0);
  PosixFileSystem files;
  const auto model = SafetensorsReader::Open(files, pulled);
  ASSERT_TRUE(model.ok()) << model.status();
  for (const TensorSpec& tensor : (*model)->layout().tensors()) {
    EXPECT_EQ(tensor.dtype, Dtype::kF32) << tensor.name;
  }
}

TEST_F(EncodingTest, RoundedModelIsTheSameAfterTheCoordinatorWasKilled) {
  StartCoordinator();
  for (const char* member : {"br-lab", "fr-lab"}) StartWorker(member);
  WaitForWorkers(2);
  const std::string recipe = RecipeIn(12, "encoding: bf16, download: bf16");
  const nlohmann::json undisturbed = WaitForEnd(Submit(recipe, "undisturbed"));
  const std::string job = Submit(recipe, "killed");
  ASSERT_TRUE(WaitUntil([&] {
    return EntenteJson({"job", "show", job}).value("roundsCommitted", 0) >= 3;
  }));
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  StopCoordinator();
  // As if it had been killed between the copy and its name.
  for (const auto& file : std::filesystem::directory_iterator(folder_.File("coordinator/models"))) {
    if (file.path().extension() == ".bf16") std::filesystem::remove(file.path());
  }
  StartCoordinator();

  const nlohmann::json ended = WaitForEnd(job);

  EXPECT_EQ(ended.value("state", ""), "completed") << ended.dump(2);
  EXPECT_EQ(ended["modelDigest"], undisturbed["modelDigest"]);
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
