// SPDX-License-Identifier: Apache-2.0
#include "cli/initial_model.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class InitialModelTest : public CommandFixture {
 protected:
  absl::StatusOr<InitialModel> Make(const std::string& recipe_path,
                                    const std::optional<std::string>& trainer) {
    const absl::StatusOr<LoadedRecipe> recipe = LoadRecipe(files_, recipe_path);
    if (!recipe.ok()) return recipe.status();
    return InitialModel::Make(files_, *recipe, trainer, interruption_);
  }
};

TEST_F(InitialModelTest, RecipesFilesAreRelativeToItAndGetTheirDigests) {
  WriteModel("weights.safetensors");
  ASSERT_OK_AND_ASSIGN(
      const LoadedRecipe loaded,
      LoadRecipe(files_, WriteRecipe("  initialWeights: {file: weights.safetensors}\n")));

  EXPECT_EQ(loaded.initial_weights_path, folder_.File("weights.safetensors"));
  ASSERT_OK_AND_ASSIGN(const Digest digest,
                       Sha256OfFile(files_, folder_.File("weights.safetensors")));
  EXPECT_EQ(loaded.recipe.model().initial_weights().digest(), digest.ToHex());
}

TEST_F(InitialModelTest, FileNamedByDigestAloneIsNotLookedFor) {
  ASSERT_OK_AND_ASSIGN(
      const LoadedRecipe loaded,
      LoadRecipe(files_, WriteRecipe(absl::StrCat("  initialWeights: {digest: \"",
                                                  Sha256Of("m").ToHex(), "\"}\n"))));

  EXPECT_EQ(loaded.initial_weights_path, "");
  EXPECT_EQ(loaded.recipe.model().initial_weights().digest(), Sha256Of("m").ToHex());
}

TEST_F(InitialModelTest, MissingRecipeIsTheCallersMistake) {
  EXPECT_THAT(LoadRecipe(files_, folder_.File("missing.yaml")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("missing.yaml")));
}

TEST_F(InitialModelTest, MissingFileOfTheRecipeIsNamedWithItsKey) {
  EXPECT_THAT(
      LoadRecipe(files_, WriteRecipe("  initialWeights: {file: missing.safetensors}\n")),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("model.initialWeights.file"), HasSubstr("missing.safetensors"))));
}

TEST_F(InitialModelTest, DigestInTheRecipeMustBeTheFiles) {
  WriteModel("weights.safetensors");

  EXPECT_THAT(LoadRecipe(files_, WriteRecipe(absl::StrCat(
                                     "  initialWeights: {file: weights.safetensors, digest: \"",
                                     std::string(64, 'a'), "\"}\n"))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("correct the digest")));
}

TEST_F(InitialModelTest, InitialWeightsServeWithoutATrainer) {
  const std::string weights = WriteModel("weights.safetensors");

  ASSERT_OK_AND_ASSIGN(
      const InitialModel model,
      Make(WriteRecipe("  initialWeights: {file: weights.safetensors}\n"), std::nullopt));

  EXPECT_EQ(model.path(), weights);
}

TEST_F(InitialModelTest, InitialWeightsThatAreNoSafetensorsAreRefused) {
  folder_.Write("weights.safetensors", "these are no weights, are they?");

  EXPECT_THAT(Make(WriteRecipe("  initialWeights: {file: weights.safetensors}\n"), std::nullopt),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("weights.safetensors")));
}

TEST_F(InitialModelTest, WithoutTrainerAndWeightsTheWayOutIsSaid) {
  EXPECT_THAT(Make(WriteRecipe(), std::nullopt),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("entente-trainer"), HasSubstr("--trainer"),
                             HasSubstr("model.initialWeights"))));
}

TEST_F(InitialModelTest, TrainerMakesTheModelInAFolderThatGoesAway) {
  const std::string made = WriteModel("made.safetensors");
  // Arguments: init --recipe F --output M.
  const std::string trainer = WriteProgram("trainer", absl::StrCat("cp ", made, " \"$5\""));
  std::string path;
  {
    ASSERT_OK_AND_ASSIGN(const InitialModel model, Make(WriteRecipe(), trainer));
    path = model.path();
    EXPECT_TRUE(files_.Exists(path));
    ASSERT_OK_AND_ASSIGN(const Digest digest, Sha256OfFile(files_, made));
    EXPECT_EQ(model.digest(), digest);
  }

  EXPECT_FALSE(files_.Exists(path));
}

TEST_F(InitialModelTest, TrainersSentenceIsPassedOn) {
  const std::string trainer = WriteProgram(
      "trainer", "echo noise >&2; echo 'entente-trainer: model.pt is not TorchScript' >&2; exit 2");

  EXPECT_THAT(Make(WriteRecipe(), trainer),
              StatusIs(absl::StatusCode::kInvalidArgument, "model.pt is not TorchScript"));
}

TEST_F(InitialModelTest, TimeAndLevelOfTheTrainersLogAreLeftOut) {
  const std::string recipe = WriteRecipe();
  const std::string trainer = WriteProgram(
      "trainer", "echo \"2026-03-01T12:00:41.093Z error   $3: model is wrong\" >&2; exit 2");

  EXPECT_THAT(Make(recipe, trainer),
              StatusIs(absl::StatusCode::kInvalidArgument, recipe + ": model is wrong"));
}

TEST_F(InitialModelTest, TrainerGetsTheRecipeWithItsDefaultsFilledIn) {
  const std::string made = WriteModel("made.safetensors");
  const std::string trainer =
      WriteProgram("trainer", absl::StrCat("grep -q batchSize: \"$3\" && cp ", made, " \"$5\""));

  EXPECT_THAT(Make(WriteRecipe(), trainer), IsOk());
}

TEST_F(InitialModelTest, TrainerThatCrashesIsNotTheCallersMistake) {
  const std::string trainer = WriteProgram("trainer", "echo terrible >&2; kill -9 $$");

  EXPECT_THAT(
      Make(WriteRecipe(), trainer),
      StatusIs(absl::StatusCode::kUnknown, AllOf(HasSubstr("status 137"), HasSubstr("terrible"))));
}

TEST_F(InitialModelTest, TrainerGetsTheProgramAndTheWeights) {
  const std::string made = WriteModel("made.safetensors");
  WriteModel("weights.safetensors");
  const std::string trainer = WriteProgram(
      "trainer", absl::StrCat("test \"$6 $7\" = \"--initial-weights ",
                              folder_.File("weights.safetensors"), "\" && cp ", made, " \"$5\""));

  EXPECT_THAT(Make(WriteRecipe("  initialWeights: {file: weights.safetensors}\n"), trainer),
              IsOk());
}

TEST_F(InitialModelTest, TrainerIsFoundBesideEntenteThenInPath) {
  WriteProgram("path/entente-trainer", "");
  const TrainerSearch search{.program = "",
                             .program_path = folder_.File("bin/entente"),
                             .path = folder_.File("path") + ":/nowhere"};
  ASSERT_OK_AND_ASSIGN(const std::optional<std::string> in_path, FindTrainer(files_, search));
  EXPECT_EQ(in_path, folder_.File("path/entente-trainer"));

  WriteProgram("bin/entente-trainer", "");
  ASSERT_OK_AND_ASSIGN(const std::optional<std::string> beside, FindTrainer(files_, search));
  EXPECT_EQ(beside, folder_.File("bin/entente-trainer"));
}

TEST_F(InitialModelTest, NoTrainerAnywhereIsNoErrorUnlessOneWasNamed) {
  ASSERT_OK_AND_ASSIGN(const std::optional<std::string> none,
                       FindTrainer(files_, {.program = "", .program_path = "", .path = ""}));
  EXPECT_EQ(none, std::nullopt);

  EXPECT_THAT(FindTrainer(files_, {.program = "my-trainer", .program_path = "", .path = ""}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("my-trainer")));
  EXPECT_THAT(FindTrainer(files_, {.program = "./my-trainer", .program_path = "", .path = ""}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not there")));
}

}  // namespace
}  // namespace entente::cli
