// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/model_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

TEST(ModelOptionsTest, ARecipeAndItsProgramMustGoTogether) {
  const TempFolder folder;
  PosixFileSystem files;
  const std::string builtin = folder.Write("builtin.yaml", SampleRecipe().dump());
  const std::string scripted = folder.Write("scripted.yaml", SampleTorchScriptRecipe().dump());

  EXPECT_THAT(ModelOptions{.recipe = builtin}.Choose(files, ""), IsOk());
  EXPECT_THAT((ModelOptions{.recipe = scripted, .program = "m.pt"}.Choose(files, "")), IsOk());
  EXPECT_THAT((ModelOptions{.recipe = builtin, .program = "m.pt"}.Choose(files, "")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("leave --program out")));
  EXPECT_THAT(
      ModelOptions{.recipe = scripted}.Choose(files, ""),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("give its file with --program")));
}

TEST(ModelOptionsTest, TheDataIsNamedByFormatAndFolder) {
  const DataOptions options{.directory = "/data", .format = "csv"};

  ASSERT_OK_AND_ASSIGN(const DatasetSource source, options.Source());

  EXPECT_EQ(source.format, DatasetFormat::kCsv);
  EXPECT_EQ(source.directory, "/data");
}

}  // namespace
}  // namespace entente::trainer
