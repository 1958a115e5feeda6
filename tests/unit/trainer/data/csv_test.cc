// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvTest : public ::testing::Test {
 protected:
  absl::StatusOr<Examples> Read(const std::string& text,
                                LearningTask task = LearningTask::kClassification) {
    return ReadCsv(files_, folder_.Write("train.csv", text), task);
  }

  const TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(CsvTest, TheLastColumnIsTheClass) {
  ASSERT_OK_AND_ASSIGN(const Examples examples, Read("age,dose,ill\r\n41,0.5,1\r\n7,-2e1,0\r\n"));

  EXPECT_EQ(examples.count, 2);
  EXPECT_THAT(examples.shape, ElementsAre(2));
  EXPECT_THAT(examples.inputs, ElementsAre(41, 0.5F, 7, -20));
  EXPECT_THAT(examples.classes, ElementsAre(1, 0));
}

TEST_F(CsvTest, TheLastColumnIsTheValueForRegression) {
  ASSERT_OK_AND_ASSIGN(const Examples examples, Read("a,b\n1,2.5\n", LearningTask::kRegression));

  EXPECT_THAT(examples.values, ElementsAre(2.5F));
  EXPECT_EQ(examples.value_count, 1);
}

TEST_F(CsvTest, AFieldThatIsNoNumberIsNamedWithItsLine) {
  EXPECT_THAT(Read("age,ill\n41,1\nold,0\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("train.csv:3: column 1 is not a number")));
  EXPECT_THAT(Read("age,ill\nnan,1\n"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Read("age,ill\n1,\n"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CsvTest, ARaggedLineIsNamed) {
  EXPECT_THAT(Read("age,ill\n41,1\n41,1,2\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("train.csv:3: has 3 columns, the header has 2")));
}

TEST_F(CsvTest, AClassMustBeAWholeNumber) {
  EXPECT_THAT(Read("age,ill\n41,0.5\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a class")));
  EXPECT_THAT(Read("age,ill\n41,-1\n"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(CsvTest, NoExamplesAreRefused) {
  EXPECT_THAT(Read("age,ill\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds no examples")));
  EXPECT_THAT(Read("age\n1\n"), StatusIs(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("expected features and a target")));
}

}  // namespace
}  // namespace entente::trainer
