// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/status_conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.h"
#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

TEST(StatusConversionTest, EveryCodeComesBackAsItWas) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");

    EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
    EXPECT_EQ(static_cast<int>(ToGrpcStatus(status).error_code()), code);
  }
}

TEST(StatusConversionTest, CodeThatIsNoneIsUnknown) {
  EXPECT_THAT(FromGrpcStatus(grpc::Status(grpc::StatusCode::DO_NOT_USE, "odd")),
              StatusIs(absl::StatusCode::kUnknown, "odd"));
}

TEST(StatusConversionTest, LongestMessageIsKept) {
  const std::string longest(4 * limits::kReasonBytesMax, 'x');

  EXPECT_EQ(ToGrpcStatus(absl::AbortedError(longest)).error_message(), longest);
}

TEST(StatusConversionTest, LongerMessagesAreCutInBothDirections) {
  const std::string too_long(100'000, 'x');

  const std::string sent = ToGrpcStatus(absl::AbortedError(too_long)).error_message();
  const absl::Status received = FromGrpcStatus(grpc::Status(grpc::StatusCode::ABORTED, too_long));

  EXPECT_THAT(sent, SizeIs(4 * limits::kReasonBytesMax));
  EXPECT_THAT(sent, EndsWith("x..."));
  EXPECT_THAT(std::string(received.message()), SizeIs(4 * limits::kReasonBytesMax));
}

TEST(StatusConversionTest, CharactersAreNotCutInTwo) {
  std::string umlauts;
  while (umlauts.size() < 100'000) umlauts += "\xc3\xa4";

  const std::string sent = ToGrpcStatus(absl::AbortedError(umlauts)).error_message();

  EXPECT_THAT(sent, EndsWith("\xc3\xa4..."));
}

}  // namespace
}  // namespace entente
