// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_STATUS_MATCHERS_H_
#define TESTS_SUPPORT_STATUS_MATCHERS_H_

// EXPECT_THAT(status, IsOk()); EXPECT_THAT(status_or, StatusIs(code, HasSubstr("...")));

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace entente {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code, "has the code") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

MATCHER_P2(StatusIs, code, message_matcher, "has the code and the message") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(message_matcher, std::string(StatusOf(arg).message()),
                                       result_listener);
}

}  // namespace entente

// Fails the test at once if `expression` is an error.
#define ASSERT_OK_AND_ASSIGN(lhs, expression) \
  ASSERT_OK_AND_ASSIGN_INNER(ENTENTE_TEST_CONCAT(test_status_or_, __LINE__), lhs, expression)
#define ENTENTE_TEST_CONCAT_INNER(a, b) a##b
#define ENTENTE_TEST_CONCAT(a, b) ENTENTE_TEST_CONCAT_INNER(a, b)
#define ASSERT_OK_AND_ASSIGN_INNER(result, lhs, expression) \
  auto result = (expression);                               \
  ASSERT_TRUE(result.ok()) << result.status();              \
  lhs = *std::move(result)

#endif  // TESTS_SUPPORT_STATUS_MATCHERS_H_
