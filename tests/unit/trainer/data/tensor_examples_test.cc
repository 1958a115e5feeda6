// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/tensor_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "common/base/check.h"
#include "common/tensor/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TensorExamplesTest : public ::testing::Test {
 protected:
  // Writes the tensors' specs; every byte of "inputs" comes from `inputs`, all others are 0.
  std::string Write(std::vector<TensorSpec> specs, const std::vector<float>& inputs) {
    const std::string path = folder_.File("train.safetensors");
    auto layout = Layout::Create(std::move(specs));
    ENTENTE_CHECK(layout.ok());
    auto writer = SafetensorsWriter::Create(files_, path, *layout);
    ENTENTE_CHECK(writer.ok());
    for (size_t i = 0; i < layout->tensors().size(); ++i) {
      std::string bytes(layout->tensors()[i].Bytes(), '\0');
      if (layout->tensors()[i].name == "inputs") {
        bytes.assign(reinterpret_cast<const char*>(inputs.data()), bytes.size());
      }
      ENTENTE_CHECK((*writer)->WriteAt(i, 0, bytes).ok());
    }
    ENTENTE_CHECK((*writer)->Finish().ok());
    return path;
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TensorSpec Spec(const char* name, Dtype dtype, std::vector<uint64_t> shape) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape)};
}

TEST_F(TensorExamplesTest, ClassesAreRead) {
  const std::string path = Write(
      {Spec("inputs", Dtype::kF32, {2, 3}), Spec("targets", Dtype::kI64, {2})}, {1, 2, 3, 4, 5, 6});

  ASSERT_OK_AND_ASSIGN(const Examples examples,
                       ReadTensorExamples(files_, path, LearningTask::kClassification));

  EXPECT_EQ(examples.count, 2);
  EXPECT_THAT(examples.shape, ElementsAre(3));
  EXPECT_THAT(examples.inputs, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(examples.classes, ElementsAre(0, 0));
}

TEST_F(TensorExamplesTest, ValuesAreRead) {
  const std::string data = WriteRegressionFolder(folder_, "data", 10);

  ASSERT_OK_AND_ASSIGN(
      const Examples examples,
      ReadTensorExamples(files_, data + "/train.safetensors", LearningTask::kRegression));

  EXPECT_EQ(examples.count, 10);
  EXPECT_EQ(examples.value_count, 1);
  EXPECT_EQ(examples.values[3], 2 * examples.inputs[6] - examples.inputs[7] + 1);
}

TEST_F(TensorExamplesTest, WhatIsMissingOrMistypedIsNamed) {
  const auto task = LearningTask::kClassification;

  EXPECT_THAT(ReadTensorExamples(files_, Write({Spec("inputs", Dtype::kF32, {1, 1})}, {0}), task),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no tensor \"targets\"")));
  EXPECT_THAT(
      ReadTensorExamples(
          files_,
          Write({Spec("inputs", Dtype::kF32, {1, 1}), Spec("targets", Dtype::kF32, {1})}, {0}),
          task),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"targets\" is F32, expected I64")));
}

TEST_F(TensorExamplesTest, DifferentCountsAreRefused) {
  const std::string path =
      Write({Spec("inputs", Dtype::kF32, {2, 1}), Spec("targets", Dtype::kI64, {3})}, {1, 2});

  EXPECT_THAT(ReadTensorExamples(files_, path, LearningTask::kClassification),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("one target for each of the 2 inputs")));
}

TEST_F(TensorExamplesTest, InputsThatAreNotFiniteAreRefused) {
  const std::string path =
      Write({Spec("inputs", Dtype::kF32, {2, 1}), Spec("targets", Dtype::kI64, {2})},
            {1, std::numeric_limits<float>::quiet_NaN()});

  EXPECT_THAT(ReadTensorExamples(files_, path, LearningTask::kClassification),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("in example 1")));
}

TEST_F(TensorExamplesTest, NoExamplesAreRefused) {
  const std::string path =
      Write({Spec("inputs", Dtype::kF32, {0, 1}), Spec("targets", Dtype::kI64, {0})}, {});

  EXPECT_THAT(ReadTensorExamples(files_, path, LearningTask::kClassification),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds no examples")));
}

}  // namespace
}  // namespace entente::trainer
