// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/data_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/commands/command_run.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class DataCommandsTest : public ::testing::Test {
 protected:
  const TempFolder folder_;
  const std::string recipe_ = folder_.Write("recipe.yaml", SampleRecipe().dump());
};

TEST_F(DataCommandsTest, SplitPrintsWhoGotHowMany) {
  const std::string images = folder_.Write("images.gz", Gzip(IdxBytes(SampleImages(300))));
  const std::string labels = folder_.Write("labels.gz", Gzip(IdxBytes(SampleLabels(300))));

  const CommandRun run = RunCommand({"split", "--images", images, "--labels", labels, "--members",
                                     "fr:100,kr:200", "--output", folder_.File("out"), "--alpha",
                                     "0.5", "--held-out", "0.1", "--seed", "3"});

  ASSERT_EQ(run.exit_code, 0);
  const nlohmann::json result = nlohmann::json::parse(run.out);
  EXPECT_EQ(result["members"][0]["id"], "fr");
  EXPECT_EQ(result["members"][0]["train"], 90);
  EXPECT_EQ(result["members"][1]["held_out"], 20);
  int64_t labelled = 0;
  for (const auto& count : result["members"][1]["train_labels"]) labelled += count.get<int64_t>();
  EXPECT_EQ(labelled, 180);
}

TEST_F(DataCommandsTest, SplitRefusesWhatItCannotSplit) {
  const std::string images = folder_.Write("images", IdxBytes(SampleImages(30)));
  const std::string labels = folder_.Write("labels", IdxBytes(SampleLabels(30)));

  EXPECT_EQ(RunCommand({"split", "--images", images, "--labels", labels, "--members", "a,b",
                        "--output", folder_.File("out")})
                .exit_code,
            2);
}

TEST_F(DataCommandsTest, WhatTrainWritesEvaluateEvaluates) {
  const std::string data = WriteSampleFolder(folder_, "data", 90);
  const std::string model = folder_.File("alone");

  const CommandRun train =
      RunCommand({"train", "--recipe", recipe_, "--data", data, "--dataset-format", "idx",
                  "--rounds", "5", "--output", model, "-o", "json"});
  const CommandRun evaluate = RunCommand({"evaluate", "--recipe", recipe_, "--model", model,
                                          "--data", data, "--dataset-format", "idx", "-o", "json"});
  const CommandRun text = RunCommand({"evaluate", "--recipe", recipe_, "--model", model, "--data",
                                      data, "--dataset-format", "idx", "--part", "held-out"});

  ASSERT_EQ(train.exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(train.out)["steps"], 60);
  ASSERT_EQ(evaluate.exit_code, 0);
  EXPECT_GT(nlohmann::json::parse(evaluate.out)["accuracy"].get<double>(), 0.9);
  EXPECT_THAT(text.out, HasSubstr("45 examples, loss 0."));
}

TEST_F(DataCommandsTest, MissingDataIsBadInput) {
  EXPECT_EQ(RunCommand({"train", "--recipe", recipe_, "--data", folder_.File("none"),
                        "--dataset-format", "idx", "--output", folder_.File("m")})
                .exit_code,
            2);
  EXPECT_EQ(RunCommand({"train", "--recipe", recipe_, "--data", folder_.File("none"),
                        "--dataset-format", "parquet", "--output", folder_.File("m")})
                .exit_code,
            2);
}

}  // namespace
}  // namespace entente::trainer
