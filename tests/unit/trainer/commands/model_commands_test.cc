// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/model_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/commands/command_run.h"
#include "tests/unit/trainer/sample_data.h"
#include "tests/unit/trainer/scripted_model.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

TEST(ModelCommandsTest, InitWritesWhatInspectShows) {
  const TempFolder folder;
  const std::string recipe = folder.Write("recipe.yaml", SampleRecipe().dump(2));
  const std::string model = folder.File("model.safetensors");

  const CommandRun init = RunCommand({"init", "--recipe", recipe, "--output", model, "-o", "json"});
  const CommandRun inspect = RunCommand({"inspect", model, "-o", "json"});
  const CommandRun text = RunCommand({"inspect", model});

  EXPECT_EQ(init.exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(init.out)["parameters"], 163);
  EXPECT_EQ(nlohmann::json::parse(inspect.out)["tensors"][0],
            nlohmann::json::parse(R"({"name": "hidden.0.bias", "dtype": "F32", "shape": [8]})"));
  EXPECT_THAT(text.out, HasSubstr("safetensors, 4 tensors, 163 parameters"));
}

TEST(ModelCommandsTest, InitTakesATorchScriptProgramsWeights) {
  const TempFolder folder;
  const std::string recipe = folder.Write("recipe.yaml", SampleTorchScriptRecipe().dump());
  const std::string program = WriteScriptedModel(folder.File("m.pt"), ScriptedKind::kLinear);

  const CommandRun init = RunCommand(
      {"init", "--recipe", recipe, "--program", program, "--output", folder.File("model")});

  EXPECT_EQ(init.exit_code, 0);
  EXPECT_THAT(init.out, HasSubstr("4 tensors, 52 parameters"));
}

TEST(ModelCommandsTest, BadInputExitsWith2AndWritesNothing) {
  const TempFolder folder;
  const std::string recipe = folder.Write("recipe.yaml", "model: {}");

  EXPECT_EQ(RunCommand({"init", "--recipe", recipe, "--output", folder.File("m")}).exit_code, 2);
  EXPECT_EQ(RunCommand({"init", "--recipe", "/missing", "--output", folder.File("m")}).exit_code,
            2);
  EXPECT_EQ(RunCommand({"inspect", recipe}).exit_code, 2);
  EXPECT_EQ(FileText(folder.File("m")), "");
}

}  // namespace
}  // namespace entente::trainer
