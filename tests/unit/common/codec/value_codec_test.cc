// SPDX-License-Identifier: Apache-2.0
#include "common/codec/value_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "common/base/random_source.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

const UpdateEncoding kAllEncodings[] = {
    UpdateEncoding::kFp32,
    UpdateEncoding::kBf16,
    UpdateEncoding::kFp16,
    UpdateEncoding::kInt8,
    UpdateEncoding::kInt4,
    UpdateEncoding::Topk(0.03125, TopkValues::kInt8),
    UpdateEncoding::Topk(0.07, TopkValues::k2Bit),
};

std::vector<float> SmallValues(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] =
        static_cast<float>(static_cast<int64_t>(SplitMix64At(9, i) >> 11)) * 0x1p-56F - 0.1F;
  }
  return values;
}

TEST(DecodeValuesTest, BytesNeedNotBeAligned) {
  std::string bytes("x\0\0\xc0\x3f\0\0\0\xc0", 9);
  std::vector<float> values(2);

  ASSERT_THAT(DecodeValues(UpdateEncoding::kFp32, 0, absl::MakeConstSpan(bytes.data() + 1, 8),
                           absl::MakeSpan(values)),
              IsOk());

  EXPECT_THAT(values, ::testing::ElementsAre(1.5F, -2.0F));
}

TEST(DecodeValuesTest, Bf16IsLittleEndian) {
  const std::string bytes("\x80\x3f\x00\xc0", 4);
  std::vector<float> values(2);

  ASSERT_THAT(DecodeValues(UpdateEncoding::kBf16, 0, bytes, absl::MakeSpan(values)), IsOk());

  EXPECT_THAT(values, ::testing::ElementsAre(1.0F, -2.0F));
}

TEST(ValueCodecTest, BytesDoNotDependOnThePieces) {
  const std::vector<float> values = SmallValues(20'007);
  for (const UpdateEncoding& encoding : kAllEncodings) {
    std::string whole;
    EncodeValues(encoding, 1, 0, values, &whole);
    EXPECT_EQ(whole.size(), EncodedBytes(encoding, values.size()));
    std::vector<float> decoded(values.size());
    ASSERT_THAT(DecodeValues(encoding, 0, whole, absl::MakeSpan(decoded)), IsOk());
    for (const size_t piece : {4096, 8192, 12'288}) {
      std::string together;
      std::string bytes;
      for (size_t first = 0; first < values.size(); first += piece) {
        const auto part = absl::MakeConstSpan(values).subspan(first, piece);
        EncodeValues(encoding, 1, first, part, &bytes);
        EXPECT_EQ(together.size(), EncodedBytes(encoding, first));
        together += bytes;
        std::vector<float> part_decoded(part.size());
        ASSERT_THAT(DecodeValues(encoding, first, bytes, absl::MakeSpan(part_decoded)), IsOk());
        EXPECT_TRUE(std::equal(part_decoded.begin(), part_decoded.end(), decoded.begin() + first));
      }
      EXPECT_TRUE(together == whole) << EncodingName(encoding.kind);
    }
  }
}

TEST(ValueCodecTest, ErrorIsWithinWhatTheEncodingPromises) {
  const std::vector<float> values = SmallValues(10'000);
  const auto worst = [&values](const UpdateEncoding& encoding) {
    std::string bytes;
    EncodeValues(encoding, 1, 0, values, &bytes);
    std::vector<float> decoded(values.size());
    EXPECT_THAT(DecodeValues(encoding, 0, bytes, absl::MakeSpan(decoded)), IsOk());
    float error = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      error = std::max(error, std::fabs(values[i] - decoded[i]));
    }
    return error;
  };
  // The values are within 0.1.
  EXPECT_EQ(worst(UpdateEncoding::kFp32), 0);
  EXPECT_LE(worst(UpdateEncoding::kBf16), 0.1F / 256);
  EXPECT_LE(worst(UpdateEncoding::kFp16), 0.1F / 2048);
  EXPECT_LE(worst(UpdateEncoding::kInt8), 0.1F / 126.9F);
  EXPECT_LE(worst(UpdateEncoding::kInt4), 0.1F / 6.99F);
}

TEST(ValueCodecTest, SeedChangesTheRoundingAndNothingElseDoes) {
  const std::vector<float> values = SmallValues(512);
  std::string one;
  std::string other;
  EncodeValues(UpdateEncoding::kInt8, 1, 0, values, &one);
  EncodeValues(UpdateEncoding::kInt8, 2, 0, values, &other);
  EXPECT_NE(one, other);
  EncodeValues(UpdateEncoding::kInt8, 1, 256, values, &other);
  EXPECT_NE(one, other) << "another place in the tensor has other chances";
}

TEST(ValueCodecTest, WrongNumberOfBytesIsRefused) {
  for (const UpdateEncoding& encoding : kAllEncodings) {
    std::vector<float> values(300);
    const uint64_t right = EncodedBytes(encoding, values.size());
    for (const uint64_t size : {uint64_t{0}, right - 1, right + 1}) {
      EXPECT_THAT(DecodeValues(encoding, 0, std::string(size, '\0'), absl::MakeSpan(values)),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("300 numbers in ")));
    }
  }
}

TEST(ValueCodecTest, BadBlockIsNamedByItsElement) {
  std::vector<float> values(600);
  std::string bytes(EncodedBytes(UpdateEncoding::kInt4, values.size()), '\0');
  bytes[132 + 3] = '\x80';  // The second block's scale is negative.
  EXPECT_THAT(DecodeValues(UpdateEncoding::kInt4, 512, bytes, absl::MakeSpan(values)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("in the block at element 768 the scale is -0")));
}

TEST(ValueCodecTest, AnyBytesAreDecodedOrRefused) {
  for (const UpdateEncoding& encoding : kAllEncodings) {
    for (uint64_t seed = 0; seed < 200; ++seed) {
      std::vector<float> values(1 + SplitMix64At(seed, 0) % 700);
      std::string bytes(EncodedBytes(encoding, values.size()), '\0');
      for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(SplitMix64At(seed, i + 1));
      }
      DecodeValues(encoding, 0, bytes, absl::MakeSpan(values)).IgnoreError();
    }
  }
}

}  // namespace
}  // namespace entente
