// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/dtype.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

TEST(DtypeTest, EveryTypeIsReadByItsName) {
  for (const Dtype dtype : {Dtype::kF64, Dtype::kF32, Dtype::kF16, Dtype::kBf16, Dtype::kI64,
                            Dtype::kI32, Dtype::kI16, Dtype::kI8, Dtype::kU8, Dtype::kBool}) {
    ASSERT_OK_AND_ASSIGN(const Dtype parsed, ParseDtype(DtypeName(dtype)));
    EXPECT_EQ(parsed, dtype);
  }
}

TEST(DtypeTest, SizesAreSafetensors) {
  EXPECT_EQ(DtypeBytes(Dtype::kF64), 8u);
  EXPECT_EQ(DtypeBytes(Dtype::kF32), 4u);
  EXPECT_EQ(DtypeBytes(Dtype::kBf16), 2u);
  EXPECT_EQ(DtypeBytes(Dtype::kI64), 8u);
  EXPECT_EQ(DtypeBytes(Dtype::kBool), 1u);
}

TEST(DtypeTest, FloatingPointTypesAreKnown) {
  EXPECT_TRUE(IsFloatingPoint(Dtype::kF16));
  EXPECT_TRUE(IsFloatingPoint(Dtype::kBf16));
  EXPECT_FALSE(IsFloatingPoint(Dtype::kI64));
  EXPECT_FALSE(IsFloatingPoint(Dtype::kBool));
}

TEST(DtypeTest, UnknownNameIsRefused) {
  EXPECT_THAT(ParseDtype("F8_E4M3"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("dtype \"F8_E4M3\" is none")));
  EXPECT_THAT(ParseDtype("f32"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseDtype(""), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DtypeTest, HostileNameIsEscapedAndCut) {
  const absl::StatusOr<Dtype> dtype = ParseDtype("\x1b[31m" + std::string(1000, 'x'));
  EXPECT_THAT(dtype, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\\x1b[31m")));
  EXPECT_LT(dtype.status().message().size(), 100u);
}

}  // namespace
}  // namespace entente
