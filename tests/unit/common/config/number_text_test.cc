// SPDX-License-Identifier: Apache-2.0
#include "common/config/number_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

constexpr uint64_t kLargest = std::numeric_limits<uint64_t>::max();

TEST(NumberTextTest, ReadsWholeNumbersToBothEndsOfTheRange) {
  EXPECT_EQ(*ParseWholeNumber("0", 0, kLargest), 0);
  EXPECT_EQ(*ParseWholeNumber("18446744073709551615", 0, kLargest), kLargest);
  EXPECT_EQ(*ParseWholeNumber("-12", -20, 20), -12);
}

TEST(NumberTextTest, RefusesNumbersBeyondTheRange) {
  for (const char* text : {"-1", "4294967296", "99999999999999999999999999999999999999999999"}) {
    EXPECT_THAT(ParseWholeNumber(text, 0, 4'294'967'295),
                StatusIs(absl::StatusCode::kInvalidArgument, "must be 0 to 4,294,967,295"))
        << text;
  }
}

TEST(NumberTextTest, RefusesWhatYamlTakesForANumberToo) {
  for (const char* text :
       {"0x10", "1_000", "1,000", "1e3", "12.0", "12:30", "ten", "", " 1", "+1"}) {
    EXPECT_THAT(ParseWholeNumber(text, 0, kLargest),
                StatusIs(absl::StatusCode::kInvalidArgument, "must be a whole number, such as 12"))
        << text;
  }
  EXPECT_THAT(
      ParseWholeNumber("010", 0, kLargest),
      StatusIs(absl::StatusCode::kInvalidArgument, "must be written without a leading zero"));
}

TEST(NumberTextTest, ReadsByteCountsWithAndWithoutAUnit) {
  EXPECT_EQ(*ParseByteCount("5", kLargest), 5);
  EXPECT_EQ(*ParseByteCount("3KiB", kLargest), 3 << 10);
  EXPECT_EQ(*ParseByteCount("256 MiB", kLargest), 256 << 20);
  EXPECT_EQ(*ParseByteCount("20 GiB", kLargest), int64_t{20} << 30);
  EXPECT_EQ(*ParseByteCount("2 TiB", kLargest), int64_t{2} << 40);
}

TEST(NumberTextTest, RefusesByteCountsOfOtherUnits) {
  for (const char* text : {"5 GB", "5 gib", "GiB", "1.5 GiB", "-1 KiB", "-1", "5 KiB KiB"}) {
    EXPECT_THAT(ParseByteCount(text, kLargest),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "must be a whole number of bytes, or of KiB, MiB, GiB or TiB, such as "
                         "20 GiB"))
        << text;
  }
}

TEST(NumberTextTest, RefusesByteCountsThatOverflowOnceMultiplied) {
  EXPECT_THAT(ParseByteCount("16777216 TiB", kLargest),
              StatusIs(absl::StatusCode::kInvalidArgument, "must be 0 to 16,777,215"));
}

TEST(NumberTextTest, ReadsDecimalsAndPowersOfTen) {
  EXPECT_EQ(*ParseNumber("0.05"), 0.05);
  EXPECT_EQ(*ParseNumber("1e-3"), 0.001);
  EXPECT_EQ(*ParseNumber("1"), 1);
  EXPECT_EQ(*ParseNumber("-.5"), -0.5);
}

TEST(NumberTextTest, RefusesWhatIsNotAFiniteNumber) {
  for (const char* text : {".inf", "inf", "nan", ".nan", "0x1p3", "", "1e", "1 ", "1..2", "--1"}) {
    EXPECT_THAT(ParseNumber(text),
                StatusIs(absl::StatusCode::kInvalidArgument, "must be a number, such as 0.01"))
        << text;
  }
  EXPECT_THAT(ParseNumber("1e999"),
              StatusIs(absl::StatusCode::kInvalidArgument, "must be a smaller number"));
}

}  // namespace
}  // namespace entente
