// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/torchscript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/scripted_model.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

TEST(TorchScriptTest, AProgramPredictsAndShowsItsState) {
  const TempFolder folder;

  ASSERT_OK_AND_ASSIGN(const auto model, LoadTorchScript(WriteScriptedModel(
                                             folder.File("m.pt"), ScriptedKind::kLinear)));

  EXPECT_EQ(model->Forward(torch::ones({2, 1, 4, 4})).sizes(), torch::IntArrayRef({2, 3}));
  EXPECT_EQ(model->State().size(), 4U);
  EXPECT_EQ(ParametersOf(*model).size(), 2U);
}

TEST(TorchScriptTest, AFileThatIsNoProgramIsRefused) {
  const TempFolder folder;

  EXPECT_THAT(LoadTorchScript(folder.Write("m.pt", "not a program")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("m.pt: is not a TorchScript program")));
  EXPECT_THAT(LoadTorchScript(folder.File("missing.pt")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing.pt does not exist")));
}

TEST(TorchScriptTest, AProgramWithoutParametersIsRefused) {
  const TempFolder folder;

  for (const ScriptedKind kind : {ScriptedKind::kNoParameters, ScriptedKind::kFrozen}) {
    EXPECT_THAT(
        LoadTorchScript(WriteScriptedModel(folder.File("m.pt"), kind)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no parameters to train")));
  }
}

TEST(TorchScriptTest, ParametersThatAreNotFloat32AreRefused) {
  const TempFolder folder;

  EXPECT_THAT(
      LoadTorchScript(WriteScriptedModel(folder.File("m.pt"), ScriptedKind::kDouble)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("parameter \"weight\" is Double, and only float32 can be trained")));
}

}  // namespace
}  // namespace entente::trainer
