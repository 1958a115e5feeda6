// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/layout.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Layout> One(std::string name, std::vector<uint64_t> shape) {
  return Layout::Create({{std::move(name), Dtype::kF32, std::move(shape)}});
}

TEST(LayoutTest, TensorsAreSortedByNameAndPacked) {
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"b", Dtype::kF32, {2, 3}},
                                                            {"a", Dtype::kI64, {}},
                                                            {"B", Dtype::kBool, {5}}}));

  EXPECT_EQ(layout.tensors()[0].name, "B");
  EXPECT_EQ(layout.tensors()[1].name, "a");
  EXPECT_EQ(layout.tensors()[2].name, "b");
  EXPECT_EQ(layout.OffsetBytes(1), 5u);
  EXPECT_EQ(layout.OffsetBytes(2), 13u);
  EXPECT_EQ(layout.TotalBytes(), 37u);
  EXPECT_EQ(layout.FloatElementCount(), 6u);
}

TEST(LayoutTest, UpdateLayoutHasTheFloatingPointTensorsInOneType) {
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"count", Dtype::kI64, {}},
                                                            {"bias", Dtype::kF32, {10}},
                                                            {"weight", Dtype::kF32, {10, 4}}}));
  ASSERT_OK_AND_ASSIGN(const Layout expected, Layout::Create({{"bias", Dtype::kBf16, {10}},
                                                              {"weight", Dtype::kBf16, {10, 4}}}));

  const Layout update = layout.UpdateLayout(Dtype::kBf16);

  EXPECT_EQ(update, expected);
  EXPECT_EQ(update.OffsetBytes(1), 20u);
  EXPECT_EQ(update.TotalBytes(), 100u);
}

TEST(LayoutTest, UnusableNamesAreRefused) {
  const auto is_refused = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("usable name"));
  EXPECT_THAT(One("", {1}), is_refused);
  EXPECT_THAT(One(std::string(limits::kTensorNameBytesMax + 1, 'x'), {1}), is_refused);
  EXPECT_THAT(One(std::string("a\0b", 3), {1}), is_refused);
  EXPECT_THAT(One("a\nb", {1}), is_refused);
  EXPECT_THAT(One("a\x7f", {1}), is_refused);
  EXPECT_THAT(One("\xff", {1}), is_refused) << "no UTF-8";
  EXPECT_THAT(One("\xc3", {1}), is_refused) << "cut off";
  EXPECT_THAT(One("\xc0\xaf", {1}), is_refused) << "overlong";
  EXPECT_THAT(One("\xe0\x80\xaf", {1}), is_refused) << "overlong";
  EXPECT_THAT(One("\xed\xa0\x80", {1}), is_refused) << "a surrogate";
  EXPECT_THAT(One("\xf4\x90\x80\x80", {1}), is_refused) << "past the last character";
  EXPECT_THAT(One("__metadata__", {1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reserves")));
}

TEST(LayoutTest, NamesInAnyLanguageAreFine) {
  EXPECT_THAT(One("couche.été.poids", {1}), IsOk());
  EXPECT_THAT(One("가중치", {1}), IsOk());
  EXPECT_THAT(One("\xf0\x9f\x8c\x8d", {1}), IsOk());
  EXPECT_THAT(One(std::string(limits::kTensorNameBytesMax, 'x'), {1}), IsOk());
}

TEST(LayoutTest, NameTwiceIsRefused) {
  EXPECT_THAT(
      Layout::Create({{"a", Dtype::kF32, {1}}, {"b", Dtype::kF32, {1}}, {"a", Dtype::kI8, {}}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tensor \"a\" is there twice")));
}

TEST(LayoutTest, SizesThatWouldOverflowAreRefused) {
  EXPECT_THAT(One("a", {uint64_t{1} << 63, 2}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is too large")));
  EXPECT_THAT(One("a", {uint64_t{1} << 32, uint64_t{1} << 32}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is too large")));
  EXPECT_THAT(Layout::Create({{"a", Dtype::kI8, {uint64_t{1} << 61}},
                              {"b", Dtype::kI8, {uint64_t{1} << 61}},
                              {"c", Dtype::kI8, {1}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too large together")));
}

TEST(LayoutTest, TooManyDimensionsAreRefused) {
  EXPECT_THAT(One("a", std::vector<uint64_t>(17, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 17 dimensions")));
  EXPECT_THAT(One("a", std::vector<uint64_t>(16, 1)), IsOk());
}

TEST(LayoutTest, DimensionOfZeroMakesAnEmptyTensorWhateverTheRest) {
  ASSERT_OK_AND_ASSIGN(const Layout layout, One("a", {0, uint64_t{1} << 63, uint64_t{1} << 63}));
  EXPECT_EQ(layout.TotalBytes(), 0u);
  EXPECT_EQ(layout.tensors()[0].Bytes(), 0u);
}

class CheckSameLayoutTest : public ::testing::Test {
 protected:
  absl::Status Check(std::vector<TensorSpec> actual) {
    return CheckSameLayout(expected_, *Layout::Create(std::move(actual)));
  }
  const Layout expected_ =
      *Layout::Create({{"b", Dtype::kF32, {10, 64}}, {"d", Dtype::kF32, {10}}});
};

TEST_F(CheckSameLayoutTest, EqualLayoutIsFine) {
  EXPECT_THAT(Check({{"d", Dtype::kF32, {10}}, {"b", Dtype::kF32, {10, 64}}}), IsOk());
}

TEST_F(CheckSameLayoutTest, MissingTensorIsNamed) {
  EXPECT_THAT(Check({{"b", Dtype::kF32, {10, 64}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tensor \"d\" is missing")));
  EXPECT_THAT(Check({{"d", Dtype::kF32, {10}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tensor \"b\" is missing")));
  EXPECT_THAT(Check({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"b\"")));
}

TEST_F(CheckSameLayoutTest, ExtraTensorIsNamed) {
  for (const char* name : {"a", "c", "e"}) {
    EXPECT_THAT(Check({{"b", Dtype::kF32, {10, 64}}, {"d", Dtype::kF32, {10}}, {name, {}, {}}}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("\"" + std::string(name) + "\" does not belong")));
  }
}

TEST_F(CheckSameLayoutTest, ReshapedTensorIsNamed) {
  EXPECT_THAT(Check({{"b", Dtype::kF32, {10, 128}}, {"d", Dtype::kF32, {10}}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("tensor \"b\" has shape [10,128], expected [10,64]")));
}

TEST_F(CheckSameLayoutTest, RetypedTensorIsNamed) {
  EXPECT_THAT(Check({{"b", Dtype::kF32, {10, 64}}, {"d", Dtype::kBf16, {10}}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("tensor \"d\" is BF16, expected F32")));
}

TEST(ShapeTextTest, ScalarIsEmptyBrackets) {
  EXPECT_EQ(ShapeText({}), "[]");
  EXPECT_EQ(ShapeText({1, 2}), "[1,2]");
}

}  // namespace
}  // namespace entente
