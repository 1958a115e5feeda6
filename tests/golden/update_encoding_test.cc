// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/codec/tensor_values.h"
#include "common/codec/update_codec.h"
#include "common/tensor/safetensors.h"
#include "tests/golden/golden_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

class UpdateEncodingGoldenTest : public ::testing::Test {
 protected:
  std::string Encode(const UpdateEncoding& encoding) {
    const std::string source = folder_.Write("source", GoldenBytes("update/source.hex"));
    EXPECT_THAT(
        EncodeUpdate(
            files_,
            {.source = source, .encoding = encoding, .target = folder_.File("target"), .seed = 7}),
        IsOk());
    return *ReadTextFile(files_, folder_.File("target"), 10'000);
  }
  // Every value of the file, in file order.
  std::vector<float> Decode(const std::string& golden, const UpdateEncoding& encoding) {
    const auto reader =
        SafetensorsReader::Open(files_, folder_.Write("golden", GoldenBytes(golden)));
    EXPECT_THAT(reader, IsOk());
    EXPECT_TRUE((*reader)->is_canonical());
    std::vector<float> all;
    const uint64_t elements[] = {3, 4};
    for (size_t i = 0; i < (*reader)->layout().tensors().size(); ++i) {
      const auto collect = [&all](uint64_t, absl::Span<const float> values) {
        all.insert(all.end(), values.begin(), values.end());
        return absl::OkStatus();
      };
      EXPECT_THAT(VisitValues(**reader, {.index = i, .elements = elements[i], .encoding = encoding},
                              collect),
                  IsOk());
    }
    return all;
  }

  TempFolder folder_;
  PosixFileSystem files_;
};

TEST_F(UpdateEncodingGoldenTest, EncoderWritesFp32AsItAlwaysDid) {
  EXPECT_EQ(Encode(UpdateEncoding::kFp32), GoldenBytes("update/fp32.hex"));
}

TEST_F(UpdateEncodingGoldenTest, EncoderWritesBf16AsItAlwaysDid) {
  EXPECT_EQ(Encode(UpdateEncoding::kBf16), GoldenBytes("update/bf16.hex"));
}

TEST_F(UpdateEncodingGoldenTest, EncoderWritesTheOthersAsItAlwaysDid) {
  EXPECT_EQ(Encode(UpdateEncoding::kFp16), GoldenBytes("update/fp16.hex"));
  EXPECT_EQ(Encode(UpdateEncoding::kInt8), GoldenBytes("update/int8.hex"));
  EXPECT_EQ(Encode(UpdateEncoding::kInt4), GoldenBytes("update/int4.hex"));
  EXPECT_EQ(Encode(UpdateEncoding::Topk(0.5, TopkValues::kInt8)),
            GoldenBytes("update/topk_int8.hex"));
  EXPECT_EQ(Encode(UpdateEncoding::Topk(0.25, TopkValues::k2Bit)),
            GoldenBytes("update/topk_2bit.hex"));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsFp32) {
  EXPECT_EQ(Decode("update/fp32.hex", UpdateEncoding::kFp32),
            (std::vector<float>{1, -2.5F, 0.1F, 1.00390625F, 1.01171875F, 256, -1e-40F}));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsBf16) {
  EXPECT_EQ(Decode("update/bf16.hex", UpdateEncoding::kBf16),
            (std::vector<float>{1, -2.5F, 0x1.9ap-4F, 1, 1.015625F, 256, -0x1p-133F}));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsFp16) {
  EXPECT_EQ(Decode("update/fp16.hex", UpdateEncoding::kFp16),
            (std::vector<float>{1, -2.5F, 0x1.998p-4F, 1.00390625F, 1.01171875F, 256, -0.0F}));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsIntegersTimesTheirScale) {
  EXPECT_EQ(Decode("update/int8.hex", UpdateEncoding::kInt8),
            (std::vector<float>{50 * 0x1.42850a0000000p-6F, -127 * 0x1.42850a0000000p-6F,
                                5 * 0x1.42850a0000000p-6F, 0 * 0x1.0204080000000p+1F,
                                0 * 0x1.0204080000000p+1F, 127 * 0x1.0204080000000p+1F,
                                0 * 0x1.0204080000000p+1F}));
  EXPECT_EQ(Decode("update/int4.hex", UpdateEncoding::kInt4),
            (std::vector<float>{2 * 0x1.6db6da0000000p-2F, -7 * 0x1.6db6da0000000p-2F,
                                1 * 0x1.6db6da0000000p-2F, 0 * 0x1.2492480000000p+5F,
                                0 * 0x1.2492480000000p+5F, 7 * 0x1.2492480000000p+5F,
                                0 * 0x1.2492480000000p+5F}));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsTopk) {
  EXPECT_EQ(Decode("update/topk_int8.hex", UpdateEncoding::Topk(0.5, TopkValues::kInt8)),
            (std::vector<float>{51 * 0x1.42850a0000000p-6F, -127 * 0x1.42850a0000000p-6F, 0, 0,
                                1 * 0x1.0204080000000p+1F, 127 * 0x1.0204080000000p+1F, 0}));
  EXPECT_EQ(Decode("update/topk_2bit.hex", UpdateEncoding::Topk(0.25, TopkValues::k2Bit)),
            (std::vector<float>{0, -2.5F, 0, 0, 0, 256, 0}));
}

}  // namespace
}  // namespace entente
