// SPDX-License-Identifier: Apache-2.0
// Its bytes are in tests/golden/rounded_model_test.cc, when it happens in model_cache_test.cc.
#include "worker/cache/model_expansion.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/bytes_of.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

TEST(ModelExpansionTest, OnlyBf16TensorsChangeAndLargeOnesComeInPieces) {
  const TempFolder folder;
  PosixFileSystem files;
  constexpr size_t kSize = 600'000;
  const Layout layout = *Layout::Create({{"a", Dtype::kBf16, {kSize}},
                                         {"b", Dtype::kI64, {300'000}},
                                         {"c", Dtype::kF32, {1}},
                                         {"d", Dtype::kBf16, {}}});
  std::string bf16;
  for (size_t i = 0; i < kSize; ++i) bf16 += i % 2 == 0 ? std::string("\x80\x3f", 2) : "\x20\xc0";
  std::vector<int64_t> integers(300'000);
  for (size_t i = 0; i < integers.size(); ++i) integers[i] = static_cast<int64_t>(i);
  const std::string rest = BytesOf(integers) + BytesOf<float>({0.1F});
  const std::string source =
      folder.Write("source", SafetensorsHeader(layout) + bf16 + rest + std::string("\x00\x40", 2));
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, source));
  ASSERT_OK_AND_ASSIGN(const Layout expanded, ExpandedLayout(reader->layout()));

  ASSERT_THAT(ExpandModel(files, *reader, expanded, folder.File("target")), IsOk());

  std::vector<float> values;
  for (size_t i = 0; i < kSize; ++i) values.push_back(i % 2 == 0 ? 1.0F : -2.5F);
  const std::string expected =
      SafetensorsHeader(expanded) + BytesOf(values) + rest + BytesOf<float>({2.0F});
  ASSERT_OK_AND_ASSIGN(const std::string actual,
                       ReadTextFile(files, folder.File("target"), 100'000'000));
  EXPECT_TRUE(actual == expected);
  EXPECT_EQ(expanded.tensors()[1].dtype, Dtype::kI64);
}

TEST(ModelExpansionTest, ModelThatWouldBeTooLargeIsRefused) {
  const auto layout = Layout::Create(
      {{"a", Dtype::kBf16, {uint64_t{1} << 60}}, {"b", Dtype::kBf16, {uint64_t{1} << 59}}});
  ASSERT_THAT(layout, IsOk());

  EXPECT_THAT(ExpandedLayout(*layout), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente::worker
