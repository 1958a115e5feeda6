// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Layout& SomeModel() {
  static const auto* const model = new Layout(*Layout::Create({{"batches", Dtype::kI64, {}},
                                                               {"empty", Dtype::kF32, {0, 3}},
                                                               {"scalar", Dtype::kF32, {}},
                                                               {"w", Dtype::kF32, {65, 64}}}));
  return *model;
}

TEST(EncodedBytesTest, AreTheManuals) {
  const UpdateEncoding int8_topk = UpdateEncoding::Topk(0.03125, TopkValues::kInt8);
  const UpdateEncoding bit_topk = UpdateEncoding::Topk(0.0625, TopkValues::k2Bit);
  struct Row {
    UpdateEncoding encoding;
    uint64_t elements;
    uint64_t bytes;
  };
  for (const Row& row :
       std::vector<Row>{{UpdateEncoding::kFp32, 5, 20},
                        {UpdateEncoding::kBf16, 5, 10},
                        {UpdateEncoding::kFp16, 5, 10},
                        {UpdateEncoding::kInt8, 0, 0},
                        {UpdateEncoding::kInt8, 1, 5},
                        {UpdateEncoding::kInt8, 256, 260},
                        {UpdateEncoding::kInt8, 257, 265},
                        {UpdateEncoding::kInt4, 1, 5},
                        {UpdateEncoding::kInt4, 256, 132},
                        {UpdateEncoding::kInt4, 259, 132 + 6},
                        {int8_topk, 1, 4 + 1 + 1},
                        {int8_topk, 4096, 4 + 112 + 128},
                        {int8_topk, 4096 + 33, 244 + 4 + 2 + 2},
                        {bit_topk, 4096, 4 + 192 + 64},
                        {bit_topk, 100, 4 + 5 + 2},
                        {UpdateEncoding::kInt8, uint64_t{1} << 40, (uint64_t{1} << 32) * 260}}) {
    EXPECT_EQ(EncodedBytes(row.encoding, row.elements), row.bytes)
        << EncodingName(row.encoding.kind) << " " << row.elements;
  }
}

TEST(TopkEntriesTest, IsTheShareRoundedUpAndOneAtLeast) {
  EXPECT_EQ(TopkEntries(0.03125, 4096), 128U);
  EXPECT_EQ(TopkEntries(0.03125, 33), 2U);
  EXPECT_EQ(TopkEntries(1e-9, 4096), 1U);
  EXPECT_EQ(TopkEntries(0.5, 4095), 2048U);
  EXPECT_EQ(TopkEntries(0.5, 1), 1U);
}

TEST(AlignmentTest, IsTheBlockOfTheEncoding) {
  for (const UpdateEncoding& encoding :
       {UpdateEncoding::kFp32, UpdateEncoding::kBf16, UpdateEncoding::kFp16}) {
    EXPECT_EQ(AlignmentElements(encoding), 1U);
  }
  for (const UpdateEncoding& encoding : {UpdateEncoding::kInt8, UpdateEncoding::kInt4}) {
    EXPECT_EQ(AlignmentElements(encoding), 256U);
  }
  EXPECT_EQ(AlignmentElements(UpdateEncoding::Topk(0.1, TopkValues::k2Bit)), 4096U);
}

TEST(UpdateFormTest, HasTheModelsFloatingPointTensorsAlone) {
  const UpdateForm fp16 = UpdateFormOf(SomeModel(), UpdateEncoding::kFp16);
  EXPECT_EQ(fp16.layout, SomeModel().UpdateLayout(Dtype::kF16));

  const UpdateForm int8 = UpdateFormOf(SomeModel(), UpdateEncoding::kInt8);
  EXPECT_EQ(int8.layout, *Layout::Create({{"empty", Dtype::kU8, {0}},
                                          {"scalar", Dtype::kU8, {5}},
                                          {"w", Dtype::kU8, {16 * 260 + 4 + 64}}}));
  EXPECT_EQ(int8.file_bytes(), int8.header.size() + 5 + 16 * 260 + 68);
  EXPECT_EQ(int8.OffsetBytes(2, 512), int8.header.size() + 5 + 520);
}

TEST(FindFormTest, TellsTheRecipesEncodingFromFp32) {
  TempFolder folder;
  PosixFileSystem files;
  const std::vector<UpdateForm> forms = AcceptedForms(SomeModel(), UpdateEncoding::kInt4);
  ASSERT_EQ(forms.size(), 2U);
  for (size_t i = 0; i < forms.size(); ++i) {
    const std::string path =
        folder.Write("update", forms[i].header + std::string(forms[i].layout.TotalBytes(), 'x'));
    ASSERT_OK_AND_ASSIGN(const auto file, files.OpenForRead(path));
    ASSERT_OK_AND_ASSIGN(const size_t found, FindForm(*file, forms));
    EXPECT_EQ(found, i);
  }
  EXPECT_EQ(AcceptedForms(SomeModel(), UpdateEncoding::kFp32).size(), 1U);
}

TEST(FindFormTest, FileOfNoneIsRefusedWithTheSizes) {
  TempFolder folder;
  PosixFileSystem files;
  const std::vector<UpdateForm> forms = AcceptedForms(SomeModel(), UpdateEncoding::kBf16);
  ASSERT_OK_AND_ASSIGN(const auto file, files.OpenForRead(folder.Write("update", "short")));
  EXPECT_THAT(FindForm(*file, forms),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("it has 5 bytes instead of"), HasSubstr("(bf16) or "),
                             HasSubstr("(fp32)"))));

  const std::string path = folder.Write("zeros", std::string(forms[0].file_bytes(), '\0'));
  ASSERT_OK_AND_ASSIGN(const auto zeros, files.OpenForRead(path));
  EXPECT_THAT(FindForm(*zeros, forms), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entente
