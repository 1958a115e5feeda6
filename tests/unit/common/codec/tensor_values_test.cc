// SPDX-License-Identifier: Apache-2.0
#include "common/codec/tensor_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/bytes_of.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(TensorValuesTest, EveryValueIsVisitedOnceAndInOrder) {
  TempFolder folder;
  PosixFileSystem files;
  constexpr uint64_t kCount = 600'001;  // Two whole pieces and a rest.
  std::vector<float> values(kCount);
  for (size_t i = 0; i < kCount; ++i) values[i] = static_cast<float>(i);
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"w", Dtype::kF32, {kCount}}}));
  folder.Write("file", SafetensorsHeader(layout) + BytesOf(values));
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, folder.File("file")));

  std::vector<float> seen;
  const auto visit = [&seen](uint64_t first, absl::Span<const float> piece) {
    EXPECT_EQ(first, seen.size());
    seen.insert(seen.end(), piece.begin(), piece.end());
    return absl::OkStatus();
  };
  ASSERT_THAT(VisitValues(*reader, PlainTensor(*reader, 0), visit), IsOk());

  EXPECT_EQ(seen, values);
}

TEST(TensorValuesTest, VisitStopsAtTheFirstError) {
  TempFolder folder;
  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"w", Dtype::kF32, {600'000}}}));
  folder.Write("file", SafetensorsHeader(layout) + std::string(2'400'000, '\0'));
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, folder.File("file")));
  int visits = 0;
  const auto visit = [&visits](uint64_t, absl::Span<const float>) {
    ++visits;
    return absl::AbortedError("enough");
  };

  EXPECT_THAT(VisitValues(*reader, PlainTensor(*reader, 0), visit),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(visits, 1);
}

TEST(TensorValuesTest, EmptyTensorIsNotVisited) {
  TempFolder folder;
  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"w", Dtype::kBf16, {0, 5}}}));
  folder.Write("file", SafetensorsHeader(layout));
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, folder.File("file")));

  EXPECT_THAT(
      VisitValues(*reader, {.index = 0, .elements = 0, .encoding = UpdateEncoding::kBf16},
                  [](uint64_t, absl::Span<const float>) { return absl::InternalError("visited"); }),
      IsOk());
}

TEST(TensorValuesTest, BadBlockIsNamedWithItsTensorAndPlace) {
  TempFolder folder;
  PosixFileSystem files;
  constexpr uint64_t kCount = 300'000;
  const uint64_t size = EncodedBytes(UpdateEncoding::kInt8, kCount);
  ASSERT_OK_AND_ASSIGN(const Layout layout, Layout::Create({{"w", Dtype::kU8, {size}}}));
  std::string bytes(size, '\0');
  bytes[1024 * 260 + 9] = '\x80';
  folder.Write("file", SafetensorsHeader(layout) + bytes);
  ASSERT_OK_AND_ASSIGN(const auto reader, SafetensorsReader::Open(files, folder.File("file")));

  EXPECT_THAT(
      VisitValues(*reader, {.index = 0, .elements = kCount, .encoding = UpdateEncoding::kInt8},
                  [](uint64_t, absl::Span<const float>) { return absl::OkStatus(); }),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("tensor \"w\": in the block at element 262144 an integer is -128")));
}

TEST(FloatBoundTest, IsTheLargestFloatThatIsNotBeyond) {
  EXPECT_EQ(FloatBound(256), 256);
  EXPECT_LE(double{FloatBound(0.1)}, 0.1);
  EXPECT_GT(double{std::nextafter(FloatBound(0.1), 1.0F)}, 0.1);
  EXPECT_EQ(FloatBound(1e300), std::numeric_limits<float>::max());
}

TEST(CheckValuesTest, ValuesUpToTheBoundAreFine) {
  EXPECT_THAT(CheckValues("w", 0, {256.0F, -256.0F, 0.0F, -0.0F, 1e-45F}, 256), IsOk());
  EXPECT_THAT(CheckValues("w", 0, {}, 256), IsOk());
}

TEST(CheckValuesTest, ValueBeyondTheBoundIsNamedWithItsPlace) {
  EXPECT_THAT(
      CheckValues("fc.bias", 100, {1.0F, -256.5F, 300.0F}, 256),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("tensor \"fc.bias\" holds -256.5 at index 101; values beyond 256")));
}

TEST(CheckValuesTest, NanAndInfinitiesAreNamed) {
  EXPECT_THAT(CheckValues("w", 5, {0.0F, kNan}, 256),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds nan at index 6")));
  EXPECT_THAT(CheckValues("w", 0, {kInfinity}, 256),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds inf at index 0")));
  EXPECT_THAT(CheckValues("w", 0, {0.0F, 0.0F, -kInfinity}, 256),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holds -inf at index 2")));
}

TEST(CheckValuesTest, OneBadValueIsFoundWhereverItLies) {
  for (size_t bad = 0; bad < 100; ++bad) {
    std::vector<float> values(100, 1.0F);
    values[bad] = kNan;
    EXPECT_THAT(CheckValues("w", 0, values, 256),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::EndsWith("index " + std::to_string(bad))));
  }
}

}  // namespace
}  // namespace entente
