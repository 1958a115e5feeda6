// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "common/tensor/safetensors.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"
#include "tests/unit/trainer/scripted_model.h"
#include "trainer/models/builtin.h"
#include "trainer/models/torchscript.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class ModelFilesTest : public ::testing::Test {
 protected:
  std::unique_ptr<Model> Scripted() {
    return *LoadTorchScript(WriteScriptedModel(folder_.File("m.pt"), ScriptedKind::kLinear));
  }
  static std::unique_ptr<Model> Mlp(int64_t hidden, uint64_t seed) {
    return *MakeBuiltinModel({.architecture = Architecture::kMlp,
                              .input_shape = {16},
                              .outputs = 3,
                              .channels = {},
                              .hidden = {hidden}},
                             seed);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(ModelFilesTest, WhatIsWrittenIsReadBack) {
  const auto model = Mlp(8, 1);
  const auto other = Mlp(8, 2);

  ASSERT_THAT(WriteModel(files_, folder_.File("a"), *model), IsOk());
  ASSERT_THAT(ReadModel(files_, folder_.File("a"), *other), IsOk());
  ASSERT_THAT(WriteModel(files_, folder_.File("b"), *other), IsOk());

  EXPECT_EQ(FileText(folder_.File("a")), FileText(folder_.File("b")));
  EXPECT_TRUE((*SafetensorsReader::Open(files_, folder_.File("a")))->is_canonical());
}

TEST_F(ModelFilesTest, IntegerBuffersAreInTheModelAndNotInTheUpdate) {
  const auto model = Scripted();
  const auto base = CopyFloatState(*model);
  const torch::NoGradGuard no_gradients;
  for (const StateTensor& state : model->State()) torch::Tensor(state.tensor).add_(1);

  ASSERT_THAT(WriteModel(files_, folder_.File("model"), *model), IsOk());
  ASSERT_THAT(WriteUpdate(files_, folder_.File("update"), base, *model), IsOk());

  EXPECT_EQ((*SafetensorsReader::Open(files_, folder_.File("model")))->layout().tensors().size(),
            4U);
  ASSERT_OK_AND_ASSIGN(const auto update, SafetensorsReader::Open(files_, folder_.File("update")));
  EXPECT_EQ(update->layout(), LayoutOf(*model)->UpdateLayout(Dtype::kF32));
  EXPECT_EQ(update->layout().tensors().size(), 3U);
  float bias[3];
  ASSERT_THAT(update->ReadAt(0, 0, absl::MakeSpan(reinterpret_cast<char*>(bias), sizeof(bias))),
              IsOk());
  EXPECT_EQ(bias[2], 1.0F);
}

TEST_F(ModelFilesTest, WeightsOfAnotherModelAreRefused) {
  ASSERT_THAT(WriteModel(files_, folder_.File("a"), *Mlp(9, 1)), IsOk());
  const auto model = Mlp(8, 1);

  EXPECT_THAT(
      ReadModel(files_, folder_.File("a"), *model),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("does not fit the model: tensor \"hidden.0.bias\" has shape [9]")));
}

TEST_F(ModelFilesTest, WeightsThatAreNotFiniteAreRefused) {
  const auto model = Mlp(8, 1);
  const auto base = CopyFloatState(*model);
  {
    const torch::NoGradGuard no_gradients;
    torch::Tensor(model->State()[0].tensor).fill_(std::numeric_limits<float>::infinity());
  }
  ASSERT_THAT(WriteModel(files_, folder_.File("a"), *model), IsOk());

  EXPECT_THAT(ReadModel(files_, folder_.File("a"), *model),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not finite")));
  EXPECT_THAT(
      WriteUpdate(files_, folder_.File("u"), base, *model),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("became not finite in training")));
}

TEST_F(ModelFilesTest, AFullDiskLeavesNoFile) {
  FaultyFileSystem full;
  full.bytes_left = 100;

  EXPECT_THAT(WriteModel(full, folder_.File("a"), *Mlp(8, 1)),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(files_.Exists(folder_.File("a")));
  EXPECT_FALSE(files_.Exists(folder_.File("a.tmp")));
}

}  // namespace
}  // namespace entente::trainer
