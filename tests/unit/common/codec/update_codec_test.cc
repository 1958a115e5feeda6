// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/tensor/safetensors.h"
#include "tests/support/bytes_of.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr float kEncodedInfinity = std::numeric_limits<float>::infinity();

// The bfloat16 nearest to `value`, ties to the even one, by trying all of them.
uint16_t SlowBf16(float value) {
  uint16_t best = 0;
  double best_distance = std::numeric_limits<double>::infinity();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto candidate = static_cast<uint16_t>(bits);
    const double number = double{FromBf16(candidate)};
    if (!std::isfinite(number) || std::signbit(number) != std::signbit(value)) continue;
    const double distance = std::fabs(number - value);
    if (distance < best_distance || (distance == best_distance && candidate % 2 == 0)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

TEST(Bf16Test, RoundsToNearestEvenAsASearchOverAllNumbersDoes) {
  std::vector<float> values = {0.0F,         -0.0F,     1.0F,      1.00390625F, 1.01171875F,
                               -1.00390625F, 3.14159F,  1e-40F,    -1e30F,      255.9F,
                               0x1.fep127F,  0x1p-133F, 0x1p-134F, 0x1.8p-133F};
  uint32_t bits = 12345;
  for (int i = 0; i < 40; ++i) {
    bits = bits * 1664525U + 1013904223U;
    const auto value = std::bit_cast<float>(bits);
    if (std::fabs(value) <= 0x1.fep127F) values.push_back(value);
  }
  for (const float value : values) {
    EXPECT_EQ(ToBf16(value), SlowBf16(value)) << value;
  }
}

TEST(Bf16Test, EveryBf16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromBf16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(ToBf16(value), bits);
  }
}

TEST(Bf16Test, NanStaysNanEvenWhenItsPayloadIsCutOff) {
  EXPECT_TRUE(std::isnan(FromBf16(ToBf16(std::bit_cast<float>(0x7f800001U)))));
  EXPECT_TRUE(std::isnan(FromBf16(ToBf16(std::bit_cast<float>(0xffffffffU)))));
}

TEST(Bf16Test, InfinityStaysAndTheTieAboveTheLargestNumberOverflows) {
  EXPECT_EQ(FromBf16(ToBf16(kEncodedInfinity)), kEncodedInfinity);
  EXPECT_EQ(FromBf16(ToBf16(0x1.ffp127F)), kEncodedInfinity);
  EXPECT_EQ(FromBf16(ToBf16(0x1.fefffep127F)), 0x1.fep127F);
}

TEST(DecodeValuesTest, BytesNeedNotBeAligned) {
  const std::string bytes = "x" + BytesOf({1.5F, -2.0F});
  std::vector<float> values(2);

  DecodeValues(UpdateEncoding::kFp32, absl::MakeConstSpan(bytes.data() + 1, 8),
               absl::MakeSpan(values));

  EXPECT_THAT(values, ::testing::ElementsAre(1.5F, -2.0F));
}

TEST(DecodeValuesTest, Bf16IsLittleEndian) {
  const std::string bytes("\x80\x3f\x00\xc0", 4);
  std::vector<float> values(2);

  DecodeValues(UpdateEncoding::kBf16, absl::MakeConstSpan(bytes.data(), bytes.size()),
               absl::MakeSpan(values));

  EXPECT_THAT(values, ::testing::ElementsAre(1.0F, -2.0F));
}

class EncodeUpdateTest : public ::testing::Test {
 protected:
  // Writes a canonical file of one tensor.
  void WriteSource(Dtype dtype, const std::string& bytes) {
    const uint64_t count = bytes.size() / DtypeBytes(dtype);
    folder_.Write("source", SafetensorsHeader(*Layout::Create({{"w", dtype, {count}}})) + bytes);
  }
  absl::Status Encode(UpdateEncoding encoding) {
    return EncodeUpdate(files_, folder_.File("source"), encoding, target_);
  }

  TempFolder folder_;
  FaultyFileSystem files_;
  const std::string target_ = folder_.File("target");
};

TEST_F(EncodeUpdateTest, Fp32KeepsEveryBit) {
  const std::string bytes = BytesOf({1.0F, -0.0F, 1e-45F, 3.4e38F});
  WriteSource(Dtype::kF32, bytes);

  ASSERT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  ASSERT_OK_AND_ASSIGN(const std::string source,
                       ReadTextFile(files_, folder_.File("source"), 1000));
  ASSERT_OK_AND_ASSIGN(const std::string target, ReadTextFile(files_, target_, 1000));
  EXPECT_EQ(target, source);
}

TEST_F(EncodeUpdateTest, Bf16IsHalfTheSizeAndRounded) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, 3.14159F}));

  ASSERT_THAT(Encode(UpdateEncoding::kBf16), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, target_));
  EXPECT_TRUE(reader->is_canonical());
  EXPECT_EQ(reader->layout().tensors()[0].dtype, Dtype::kBf16);
  char bytes[4];
  ASSERT_THAT(reader->ReadAt(0, 0, absl::MakeSpan(bytes)), IsOk());
  EXPECT_EQ(std::string(bytes, 4), std::string("\x80\x3f\x49\x40", 4));
}

TEST_F(EncodeUpdateTest, FileInAnyOrderComesOutCanonical) {
  const std::string json = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                           R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                           R"("__metadata__":{"by":"pt"}})";
  const std::string size = {static_cast<char>(json.size()), 0, 0, 0, 0, 0, 0, 0};
  folder_.Write("source", size + json + BytesOf({2.0F, 1.0F}));

  ASSERT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files_, target_));
  EXPECT_TRUE(reader->is_canonical());
  std::string bytes(4, '\0');
  ASSERT_THAT(reader->ReadAt(0, 0, absl::MakeSpan(bytes.data(), 4)), IsOk());
  EXPECT_EQ(bytes, BytesOf({1.0F}));
}

TEST_F(EncodeUpdateTest, NanAndInfinityAreRefusedAndNothingIsLeft) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_THAT(
      Encode(UpdateEncoding::kFp32),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tensor \"w\" holds nan at index 1")));
  EXPECT_FALSE(files_.Exists(target_));

  WriteSource(Dtype::kF32, BytesOf({-kEncodedInfinity}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds -inf at index 0")));
  EXPECT_FALSE(files_.Exists(target_));
}

TEST_F(EncodeUpdateTest, NumberThatBf16CannotHoldIsRefused) {
  WriteSource(Dtype::kF32, BytesOf({0x1.ffp127F}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), IsOk());

  WriteSource(Dtype::kF32, BytesOf({0x1.fefffep127F}));
  EXPECT_THAT(Encode(UpdateEncoding::kBf16), IsOk());
}

TEST_F(EncodeUpdateTest, OtherTypesThanF32AreRefused) {
  WriteSource(Dtype::kF64, std::string(8, '\0'));
  EXPECT_THAT(Encode(UpdateEncoding::kFp32),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("tensor \"w\" of the update is F64"), HasSubstr("F32"))));
}

TEST_F(EncodeUpdateTest, GarbageIsRefused) {
  folder_.Write("source", "Segmentation fault (core dumped)");
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kInvalidArgument,
                                                      HasSubstr("not a valid safetensors file")));
}

TEST_F(EncodeUpdateTest, MissingFileIsNotFound) {
  EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(EncodeUpdateTest, FullDiskLeavesNothing) {
  WriteSource(Dtype::kF32, BytesOf({1.0F, 2.0F}));
  for (const int64_t bytes : {0, 70}) {
    files_.bytes_left = bytes;
    EXPECT_THAT(Encode(UpdateEncoding::kFp32), StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_FALSE(files_.Exists(target_));
  }
}

}  // namespace
}  // namespace entente
