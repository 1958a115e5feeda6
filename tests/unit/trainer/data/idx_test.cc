// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/idx.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/trainer/sample_data.h"

namespace entente::trainer {
namespace {

using ::testing::HasSubstr;

class IdxTest : public ::testing::Test {
 protected:
  absl::StatusOr<IdxArray> Read(const std::string& bytes) {
    return ReadIdx(files_, folder_.Write("file", bytes), 3, 3);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(IdxTest, WhatIsWrittenIsReadBack) {
  const IdxArray images = SampleImages(5);

  ASSERT_THAT(WriteIdx(files_, folder_.File("images"), images), IsOk());
  ASSERT_OK_AND_ASSIGN(const IdxArray read, ReadIdx(files_, folder_.File("images"), 2, 4));

  EXPECT_EQ(read.shape, images.shape);
  EXPECT_EQ(read.elements, images.elements);
  EXPECT_EQ(FileText(folder_.File("images")), IdxBytes(images));
}

TEST_F(IdxTest, GzippedFilesAreReadAsTheyAre) {
  const IdxArray images = SampleImages(5);

  ASSERT_OK_AND_ASSIGN(const IdxArray read, Read(Gzip(IdxBytes(images))));

  EXPECT_EQ(read.elements, images.elements);
}

TEST_F(IdxTest, ATruncatedFileSaysHowManyBytesThereAre) {
  const std::string bytes = IdxBytes(SampleImages(5));

  EXPECT_THAT(Read(bytes.substr(0, bytes.size() - 1)),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("is truncated: expected 80 bytes of data, found at most 79")));
  EXPECT_THAT(Read(bytes.substr(0, bytes.size() - 16)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(
      Read(Gzip(bytes.substr(0, bytes.size() - 1))),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected 80 bytes of data, found 79")));
  EXPECT_THAT(Read(bytes.substr(0, 7)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut off within its header")));
}

TEST_F(IdxTest, MoreBytesThanDeclaredAreRefused) {
  EXPECT_THAT(Read(IdxBytes(SampleImages(5)) + "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than the 80 bytes")));
}

TEST_F(IdxTest, AnotherMagicIsRefused) {
  std::string bytes = IdxBytes(SampleImages(5));
  bytes[2] = 13;

  EXPECT_THAT(Read(bytes), StatusIs(absl::StatusCode::kInvalidArgument,
                                    HasSubstr("starts with 00000d03, expected 000008")));
  EXPECT_THAT(Read(IdxBytes(SampleLabels(5))), StatusIs(absl::StatusCode::kInvalidArgument,
                                                        HasSubstr("has 1 dimensions, expected 3")));
}

TEST_F(IdxTest, NoExamplesAreRefused) {
  EXPECT_THAT(Read(IdxBytes(SampleImages(0))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds no examples")));
}

TEST_F(IdxTest, AHeaderThatDeclaresTooMuchTakesNoMemory) {
  const std::string huge("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);

  EXPECT_THAT(Read(huge), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is truncated")));
  EXPECT_THAT(Read(Gzip(huge)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is truncated")));
}

}  // namespace
}  // namespace entente::trainer
