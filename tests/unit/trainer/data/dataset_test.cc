// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatasetTest : public ::testing::Test {
 protected:
  absl::StatusOr<Examples> Read(const std::string& directory,
                                DatasetPart part = DatasetPart::kTrain) {
    return ReadPart(files_, {.format = DatasetFormat::kIdx, .directory = directory}, part,
                    LearningTask::kClassification);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(DatasetTest, PixelsAreScaledAndGetAChannel) {
  folder_.Write("d/train-images-idx3-ubyte", IdxBytes({.shape = {1, 1, 2}, .elements = {0, 255}}));
  folder_.Write("d/train-labels-idx1-ubyte", IdxBytes({.shape = {1}, .elements = {9}}));

  ASSERT_OK_AND_ASSIGN(const Examples examples, Read(folder_.File("d")));

  EXPECT_THAT(examples.shape, ElementsAre(1, 1, 2));
  EXPECT_THAT(examples.inputs, ElementsAre(-1.0F, 1.0F));
  EXPECT_THAT(examples.classes, ElementsAre(9));
}

TEST_F(DatasetTest, EachPartHasItsFiles) {
  const std::string data = WriteSampleFolder(folder_, "d", 12);

  EXPECT_EQ(Read(data)->count, 12);
  EXPECT_EQ(Read(data, DatasetPart::kHeldOut)->count, 6);
  EXPECT_EQ(Read(data, DatasetPart::kTest)->count, 6);
}

TEST_F(DatasetTest, GzippedFilesAreFound) {
  folder_.Write("d/train-images-idx3-ubyte.gz", Gzip(IdxBytes(SampleImages(3))));
  folder_.Write("d/train-labels-idx1-ubyte.gz", Gzip(IdxBytes(SampleLabels(3))));

  EXPECT_EQ(Read(folder_.File("d"))->count, 3);
  const DatasetSource source{.format = DatasetFormat::kIdx, .directory = folder_.File("d")};
  EXPECT_TRUE(HasPart(files_, source, DatasetPart::kTrain));
  EXPECT_FALSE(HasPart(files_, source, DatasetPart::kHeldOut));
}

TEST_F(DatasetTest, AnEmptyOrMissingFolderIsNamedWithWhatItLacks) {
  std::filesystem::create_directory(folder_.File("empty"));

  EXPECT_THAT(Read(folder_.File("empty")),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz")));
  EXPECT_THAT(Read(folder_.File("missing")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("does not exist")));
}

TEST_F(DatasetTest, ImagesAndLabelsMustBeAsMany) {
  folder_.Write("d/train-images-idx3-ubyte", IdxBytes(SampleImages(3)));
  folder_.Write("d/train-labels-idx1-ubyte", IdxBytes(SampleLabels(4)));

  EXPECT_THAT(Read(folder_.File("d")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("there must be one label for each image")));
}

TEST_F(DatasetTest, IdxIsForClassificationOnly) {
  EXPECT_THAT(ReadPart(files_, {.format = DatasetFormat::kIdx, .directory = "d"},
                       DatasetPart::kTrain, LearningTask::kRegression),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("use csv or safetensors")));
}

TEST_F(DatasetTest, CsvAndSafetensorsFoldersAreRead) {
  folder_.Write("c/test.csv", "a,b\n1,2\n");
  const std::string tensors = WriteRegressionFolder(folder_, "s", 4);

  EXPECT_EQ(ReadPart(files_, {.format = DatasetFormat::kCsv, .directory = folder_.File("c")},
                     DatasetPart::kTest, LearningTask::kClassification)
                ->count,
            1);
  EXPECT_EQ(ReadPart(files_, {.format = DatasetFormat::kSafetensors, .directory = tensors},
                     DatasetPart::kHeldOut, LearningTask::kRegression)
                ->count,
            4);
}

TEST_F(DatasetTest, UnknownWordsAreRefused) {
  EXPECT_THAT(ParseDatasetFormat("parquet"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                      HasSubstr("use idx, csv or safetensors")));
  EXPECT_THAT(ParseDatasetPart("all"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("use train, held-out or test")));
  EXPECT_EQ(*ParseDatasetPart("held-out"), DatasetPart::kHeldOut);
}

}  // namespace
}  // namespace entente::trainer
