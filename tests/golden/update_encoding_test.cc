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
  std::string Encode(UpdateEncoding encoding) {
    const std::string source = folder_.Write("source", GoldenBytes("update/source.hex"));
    EXPECT_THAT(EncodeUpdate(files_, source, encoding, folder_.File("target")), IsOk());
    return *ReadTextFile(files_, folder_.File("target"), 10'000);
  }
  // Every value of the file, in file order.
  std::vector<float> Decode(const std::string& golden, UpdateEncoding encoding) {
    const auto reader =
        SafetensorsReader::Open(files_, folder_.Write("golden", GoldenBytes(golden)));
    EXPECT_THAT(reader, IsOk());
    EXPECT_TRUE((*reader)->is_canonical());
    std::vector<float> all;
    for (size_t i = 0; i < (*reader)->layout().tensors().size(); ++i) {
      const auto collect = [&all](uint64_t, absl::Span<const float> values) {
        all.insert(all.end(), values.begin(), values.end());
        return absl::OkStatus();
      };
      EXPECT_THAT(VisitValues(**reader, i, encoding, collect), IsOk());
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

TEST_F(UpdateEncodingGoldenTest, DecoderReadsFp32) {
  EXPECT_EQ(Decode("update/fp32.hex", UpdateEncoding::kFp32),
            (std::vector<float>{1, -2.5F, 0.1F, 1.00390625F, 1.01171875F, 256, -1e-40F}));
}

TEST_F(UpdateEncodingGoldenTest, DecoderReadsBf16) {
  EXPECT_EQ(Decode("update/bf16.hex", UpdateEncoding::kBf16),
            (std::vector<float>{1, -2.5F, 0x1.9ap-4F, 1, 1.015625F, 256, -0x1p-133F}));
}

}  // namespace
}  // namespace entente
