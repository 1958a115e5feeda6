// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/recipe/recipe.h"
#include "tests/unit/common/recipe/recipe_examples.h"

namespace entente {
namespace {

UpdateEncoding EncodingFrom(const std::string& updates) {
  return EncodingOf(ParseRecipe(RecipeWith("", "updates: {" + updates + "}"), "r")->updates());
}

TEST(RecipeEncodingTest, EveryWordIsItsEncoding) {
  EXPECT_EQ(EncodingFrom("encoding: fp32"), UpdateEncoding::kFp32);
  EXPECT_EQ(EncodingFrom("encoding: bf16"), UpdateEncoding::kBf16);
  EXPECT_EQ(EncodingFrom("encoding: fp16"), UpdateEncoding::kFp16);
  EXPECT_EQ(EncodingFrom("encoding: int8"), UpdateEncoding::kInt8);
  EXPECT_EQ(EncodingFrom("encoding: int4"), UpdateEncoding::kInt4);
  EXPECT_EQ(EncodingFrom("encoding: topk"), UpdateEncoding::Topk(0.03125, TopkValues::kInt8));
  EXPECT_EQ(EncodingFrom("encoding: topk, topk: {fraction: 0.0625, values: 2bit}"),
            UpdateEncoding::Topk(0.0625, TopkValues::k2Bit));
}

TEST(RecipeEncodingTest, AWorkerNamesAllThatItKnows) {
  EXPECT_EQ(KnownEncodings().size(), 6U);
  EXPECT_THAT(KnownEncodings(), ::testing::Contains(v1::Updates::ENCODING_TOPK));
  EXPECT_THAT(KnownDownloads(),
              ::testing::ElementsAre(v1::Updates::DOWNLOAD_FP32, v1::Updates::DOWNLOAD_BF16));
  EXPECT_THAT(KnownCompressions(),
              ::testing::ElementsAre(v1::Updates::COMPRESSION_NONE, v1::Updates::COMPRESSION_ZSTD));
  EXPECT_THAT(FirstEncodings(),
              ::testing::ElementsAre(v1::Updates::ENCODING_FP32, v1::Updates::ENCODING_BF16));
}

}  // namespace
}  // namespace entente
