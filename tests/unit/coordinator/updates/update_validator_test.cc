// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/update_validator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/tensor/safetensors.h"
#include "tests/support/bytes_of.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::updates {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UpdateValidatorTest : public ::testing::Test {
 protected:
  absl::StatusOr<ValidUpdate> Validate(const std::string& bytes,
                                       UpdateEncoding encoding = UpdateEncoding::kFp32) {
    const UpdateExpectation expectation = {
        .model = &model_, .encoding = encoding, .value_bound = 256};
    return ValidateUpdate(files_, folder_.Write("update", bytes), expectation);
  }
  static std::string FileOf(std::vector<TensorSpec> tensors, const std::string& data) {
    return SafetensorsHeader(*Layout::Create(std::move(tensors))) + data;
  }
  // A file with the right layout and these values: two of fc.bias, then four of fc.weight.
  static std::string Update(const std::vector<float>& values) {
    return FileOf({{"fc.bias", Dtype::kF32, {2}}, {"fc.weight", Dtype::kF32, {2, 2}}},
                  BytesOf(values));
  }
  static auto IsRefused(const std::string& why) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why));
  }

  TempFolder folder_;
  PosixFileSystem files_;
  const Layout model_ = *Layout::Create({{"fc.weight", Dtype::kF32, {2, 2}},
                                         {"fc.bias", Dtype::kF32, {2}},
                                         {"batches", Dtype::kI64, {}}});
};

TEST_F(UpdateValidatorTest, UpdateOfTheFloatingPointTensorsIsValid) {
  EXPECT_THAT(Validate(Update({0, -0.0F, 256, -256, 1e-45F, 3})), IsOk());
}

TEST_F(UpdateValidatorTest, Bf16UpdateIsValid) {
  const std::string update = FileOf(
      {{"fc.bias", Dtype::kBf16, {2}}, {"fc.weight", Dtype::kBf16, {2, 2}}}, std::string(12, '\1'));
  EXPECT_THAT(Validate(update, UpdateEncoding::kBf16), IsOk());
  EXPECT_EQ(UpdateFormOf(model_, UpdateEncoding::kBf16).file_bytes(), update.size());
}

TEST_F(UpdateValidatorTest, Fp32IsWelcomeWhateverTheRecipeSays) {
  EXPECT_THAT(Validate(Update({1, 2, 3, 4, 5, 6}), UpdateEncoding::kInt4), IsOk());
  EXPECT_THAT(Validate(Update({1, 2, 3, 4, 5, 600}), UpdateEncoding::kInt4),
              IsRefused("holds 600 at index 3"));
}

// A file of U8 tensors: two numbers of fc.bias, four of fc.weight.
TEST_F(UpdateValidatorTest, BlocksAreDecodedAndTheirNumbersChecked) {
  const auto update = [](const std::string& bias, const std::string& weight) {
    return FileOf(
        {{"fc.bias", Dtype::kU8, {bias.size()}}, {"fc.weight", Dtype::kU8, {weight.size()}}},
        bias + weight);
  };
  const std::string one = BytesOf({1.0F});
  EXPECT_THAT(Validate(update(one + "ab", one + "abcd"), UpdateEncoding::kInt8), IsOk());
  EXPECT_THAT(Validate(update(one + "ab", BytesOf({4.0F}) + "abcd"), UpdateEncoding::kInt8),
              IsRefused("tensor \"fc.weight\" holds 388 at index 0; values beyond 256"));
  EXPECT_THAT(Validate(update(BytesOf({-1.0F}) + "ab", one + "abcd"), UpdateEncoding::kInt8),
              IsRefused("tensor \"fc.bias\": in the block at element 0 the scale is -1"));
  EXPECT_THAT(Validate(update(one + "abc", one + "abc"), UpdateEncoding::kInt8),
              IsRefused("tensor \"fc.bias\" has shape [7], expected [6]"));

  const UpdateEncoding topk = UpdateEncoding::Topk(0.5, TopkValues::kInt8);
  const std::string bias = one + "\x03\x07";
  EXPECT_THAT(Validate(update(bias, one + "\x15\x07\x09"), topk), IsOk());
  EXPECT_THAT(Validate(update(bias, one + "\x0f\x07\x09"), topk),
              IsRefused("tensor \"fc.weight\": in the block at element 0 entry 1 has place 1"));
}

TEST_F(UpdateValidatorTest, NormIsThatOfAllNumbersOfAllTensors) {
  ASSERT_OK_AND_ASSIGN(const ValidUpdate valid, Validate(Update({1, -2, 3, 4, -5, 3})));
  EXPECT_EQ(valid.norm, 8);
  ASSERT_OK_AND_ASSIGN(const ValidUpdate zero, Validate(Update({0, -0.0F, 0, 0, 0, 0})));
  EXPECT_EQ(zero.norm, 0);
}

TEST_F(UpdateValidatorTest, NormIsOfTheNumbersAsTheyAreDecoded) {
  // BF16 0x4000 is 2, six of them.
  std::string halves;
  for (int i = 0; i < 6; ++i) halves += std::string("\0\x40", 2);
  ASSERT_OK_AND_ASSIGN(
      const ValidUpdate bf16,
      Validate(
          FileOf({{"fc.bias", Dtype::kBf16, {2}}, {"fc.weight", Dtype::kBf16, {2, 2}}}, halves),
          UpdateEncoding::kBf16));
  EXPECT_EQ(bf16.norm, std::sqrt(24.0));

  // Scales of 0.5 and 2: the biases are 0.5 and -1, the weights 2, 4, 6 and 0.
  const std::string bias = BytesOf({0.5F}) + "\x01\xfe";
  const std::string weight = BytesOf({2.0F}) + std::string("\x01\x02\x03\0", 4);
  ASSERT_OK_AND_ASSIGN(
      const ValidUpdate int8,
      Validate(
          FileOf({{"fc.bias", Dtype::kU8, {6}}, {"fc.weight", Dtype::kU8, {8}}}, bias + weight),
          UpdateEncoding::kInt8));
  EXPECT_EQ(int8.norm, std::sqrt(0.25 + 1 + 4 + 16 + 36));
}

TEST_F(UpdateValidatorTest, NormOfTheLargestAndTheSmallestFloatsIsNeitherInfiniteNorZero) {
  const float largest = std::numeric_limits<float>::max();
  const UpdateExpectation unbounded = {.model = &model_, .value_bound = 1e300};
  ASSERT_OK_AND_ASSIGN(
      const ValidUpdate large,
      ValidateUpdate(files_, folder_.Write("large", Update({largest, 0, 0, 0, 0, 0})), unbounded));
  EXPECT_EQ(large.norm, double{largest});
  ASSERT_OK_AND_ASSIGN(const ValidUpdate small, Validate(Update({0, 0, 0, 0, 0, 1e-45F})));
  EXPECT_EQ(small.norm, double{1e-45F});
}

TEST_F(UpdateValidatorTest, NormOfATensorInManyPiecesIsOfAllOfThem) {
  const Layout large = *Layout::Create({{"w", Dtype::kF32, {700'000}}});
  std::vector<float> values(700'000, 0.0F);
  for (const size_t i : {0U, 262'143U, 262'144U, 699'999U}) values[i] = 1.5F;
  const std::string path = folder_.Write("large", SafetensorsHeader(large) + BytesOf(values));

  ASSERT_OK_AND_ASSIGN(const ValidUpdate valid, ValidateUpdate(files_, path, {.model = &large}));

  EXPECT_EQ(valid.norm, 3);
}

TEST_F(UpdateValidatorTest, NanIsRefusedWithItsPlace) {
  EXPECT_THAT(Validate(Update({0, 0, 0, 0, std::numeric_limits<float>::quiet_NaN(), 0})),
              IsRefused("tensor \"fc.weight\" holds nan at index 2"));
}

TEST_F(UpdateValidatorTest, InfinityIsRefusedWithItsPlace) {
  EXPECT_THAT(Validate(Update({0, std::numeric_limits<float>::infinity(), 0, 0, 0, 0})),
              IsRefused("tensor \"fc.bias\" holds inf at index 1"));
  EXPECT_THAT(Validate(Update({-std::numeric_limits<float>::infinity(), 0, 0, 0, 0, 0})),
              IsRefused("tensor \"fc.bias\" holds -inf at index 0"));
}

TEST_F(UpdateValidatorTest, ValueOutOfBoundsIsRefusedWithItsPlace) {
  EXPECT_THAT(Validate(Update({0, 0, 0, 0, 0, -256.5F})),
              IsRefused("tensor \"fc.weight\" holds -256.5 at index 3; values beyond 256"));
}

TEST_F(UpdateValidatorTest, NanInBf16IsRefused) {
  std::string data(12, '\0');
  data[2] = '\xc0';
  data[3] = '\x7f';
  EXPECT_THAT(
      Validate(FileOf({{"fc.bias", Dtype::kBf16, {2}}, {"fc.weight", Dtype::kBf16, {2, 2}}}, data),
               UpdateEncoding::kBf16),
      IsRefused("tensor \"fc.bias\" holds nan at index 1"));
}

TEST_F(UpdateValidatorTest, MissingTensorIsNamed) {
  EXPECT_THAT(Validate(FileOf({{"fc.bias", Dtype::kF32, {2}}}, BytesOf({0, 0}))),
              IsRefused("tensor \"fc.weight\" is missing"));
}

TEST_F(UpdateValidatorTest, ExtraTensorIsNamed) {
  EXPECT_THAT(Validate(FileOf({{"fc.bias", Dtype::kF32, {2}},
                               {"fc.weight", Dtype::kF32, {2, 2}},
                               {"fc.extra", Dtype::kF32, {1}}},
                              BytesOf(std::vector<float>(7)))),
              IsRefused("tensor \"fc.extra\" does not belong to the model"));
  EXPECT_THAT(Validate(FileOf({{"fc.bias", Dtype::kF32, {2}},
                               {"fc.weight", Dtype::kF32, {2, 2}},
                               {"batches", Dtype::kI64, {}}},
                              std::string(32, '\0'))),
              IsRefused("tensor \"batches\" does not belong"))
      << "integer tensors are not federated";
}

TEST_F(UpdateValidatorTest, MisshapenTensorIsNamed) {
  EXPECT_THAT(Validate(FileOf({{"fc.bias", Dtype::kF32, {2}}, {"fc.weight", Dtype::kF32, {4}}},
                              BytesOf(std::vector<float>(6)))),
              IsRefused("tensor \"fc.weight\" has shape [4], expected [2,2]"));
}

TEST_F(UpdateValidatorTest, TensorOfAnotherTypeIsNamed) {
  const std::string bf16 = FileOf(
      {{"fc.bias", Dtype::kBf16, {2}}, {"fc.weight", Dtype::kBf16, {2, 2}}}, std::string(12, '\0'));
  EXPECT_THAT(Validate(bf16), IsRefused("tensor \"fc.bias\" is BF16, expected F32"));
  EXPECT_THAT(Validate(bf16, UpdateEncoding::kFp16),
              IsRefused("tensor \"fc.bias\" is BF16, expected F16"));
}

TEST_F(UpdateValidatorTest, FileThatIsNotCanonicalIsRefused) {
  const std::string json = R"({"fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                           R"("fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}})";
  const std::string size = {static_cast<char>(json.size()), 0, 0, 0, 0, 0, 0, 0};
  EXPECT_THAT(Validate(size + json + std::string(24, '\0')), IsRefused("not in canonical form"));
}

TEST_F(UpdateValidatorTest, EveryTruncationIsRefused) {
  const std::string whole = Update({1, 2, 3, 4, 5, 6});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Validate(whole.substr(0, size)), StatusIs(absl::StatusCode::kInvalidArgument))
        << size;
  }
  EXPECT_THAT(Validate(whole + "x"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(UpdateValidatorTest, ReasonDoesNotTellTheCoordinatorsPaths) {
  EXPECT_THAT(Validate("garbage that is long enough"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("the update is not a valid safetensors file"),
                             Not(HasSubstr(folder_.path())))));
}

TEST_F(UpdateValidatorTest, HeaderFarLargerThanTheRightOneIsNotEvenRead) {
  const std::string header(1 << 20, ' ');
  std::string size(8, '\0');
  size[2] = '\x10';
  EXPECT_THAT(Validate(size + header), IsRefused("its header claims 1048576 bytes"));
}

TEST_F(UpdateValidatorTest, MissingFileIsNotFound) {
  const UpdateExpectation expectation = {.model = &model_};
  EXPECT_THAT(ValidateUpdate(files_, folder_.File("none"), expectation),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(UpdateValidatorTest, NumbersFarInsideALargeTensorAreChecked) {
  const Layout large = *Layout::Create({{"w", Dtype::kF32, {700'000}}});
  std::vector<float> values(700'000, 0.5F);
  values[654'321] = 1e10F;
  const std::string path = folder_.Write("large", SafetensorsHeader(large) + BytesOf(values));

  EXPECT_THAT(ValidateUpdate(files_, path, {.model = &large}),
              IsRefused("tensor \"w\" holds 1e+10 at index 654321"));
}

}  // namespace
}  // namespace entente::updates
