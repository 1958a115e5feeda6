// SPDX-License-Identifier: Apache-2.0
#include "coordinator/models/model_check.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::models {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckModelTest : public ::testing::Test {
 protected:
  absl::Status CheckFile(const std::string& bytes) {
    const auto reader = SafetensorsReader::Open(files_, folder_.Write("model", bytes));
    return reader.ok() ? CheckModel(**reader) : reader.status();
  }
  absl::Status Check(std::vector<TensorSpec> tensors, const std::string& data) {
    return CheckFile(SafetensorsHeader(*Layout::Create(std::move(tensors))) + data);
  }
  static std::string Bytes(float value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  static auto IsRefused(const std::string& what) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(CheckModelTest, FiniteF32WithIntegerBuffersIsFine) {
  EXPECT_THAT(Check({{"count", Dtype::kI64, {}}, {"w", Dtype::kF32, {2}}},
                    std::string(8, '\xff') + Bytes(1e30F) + Bytes(-0.0F)),
              IsOk());
}

TEST_F(CheckModelTest, NanAndInfinityAreNamed) {
  const std::string good = Bytes(1);
  EXPECT_THAT(
      Check({{"w", Dtype::kF32, {2}}}, good + Bytes(std::numeric_limits<float>::quiet_NaN())),
      IsRefused("tensor \"w\" holds nan at index 1"));
  EXPECT_THAT(
      Check({{"w", Dtype::kF32, {2}}}, Bytes(-std::numeric_limits<float>::infinity()) + good),
      IsRefused("tensor \"w\" holds -inf at index 0"));
}

TEST_F(CheckModelTest, OtherFloatingPointTypesAreRefused) {
  EXPECT_THAT(Check({{"a", Dtype::kF32, {1}}, {"h", Dtype::kF16, {1}}}, std::string(6, '\0')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("tensor \"h\" is F16"), HasSubstr("must be F32"))));
}

TEST_F(CheckModelTest, NothingToTrainIsRefused) {
  EXPECT_THAT(Check({}, ""), IsRefused("no floating-point tensor"));
  EXPECT_THAT(Check({{"n", Dtype::kI8, {1}}}, "1"), IsRefused("no floating-point tensor"));
  EXPECT_THAT(Check({{"w", Dtype::kF32, {0}}}, ""), IsRefused("no floating-point tensor"));
}

TEST_F(CheckModelTest, FileThatIsNotCanonicalIsRefused) {
  const std::string json = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string size = {static_cast<char>(json.size()), 0, 0, 0, 0, 0, 0, 0};
  EXPECT_THAT(CheckFile(size + json + Bytes(1)), IsRefused("not in canonical form"));
}

TEST_F(CheckModelTest, NameThatLeavesNoRoomForTheOptimizerIsRefused) {
  const std::string longest(limits::kTensorNameBytesMax - 2, 'x');
  EXPECT_THAT(Check({{longest, Dtype::kF32, {1}}}, Bytes(1)), IsOk());
  EXPECT_THAT(Check({{longest + "x", Dtype::kF32, {1}}}, Bytes(1)),
              IsRefused("has too long a name: 511 bytes; at most 510 are taken"));
}

}  // namespace
}  // namespace entente::models
