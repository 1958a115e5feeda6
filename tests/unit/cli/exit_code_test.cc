// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

TEST(ExitCodeTest, EveryKindOfErrorHasItsCode) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(absl::ResourceExhaustedError("")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), ExitCode::kNotFound);
  EXPECT_EQ(ExitCodeOf(absl::UnauthenticatedError("")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("")), ExitCode::kWrongState);
  EXPECT_EQ(ExitCodeOf(absl::AlreadyExistsError("")), ExitCode::kWrongState);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), ExitCode::kInterrupted);
}

TEST(ExitCodeTest, NumbersAreTheDocumentedOnes) {
  EXPECT_EQ(static_cast<int>(ExitCode::kBadInput), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotFound), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kRefused), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnreachable), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kWrongState), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::kJobNotCompleted), 7);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
  for (const char* line : {"0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 ", "130 "}) {
    EXPECT_THAT(ExitCodesHelp(), HasSubstr(line));
  }
}

TEST(ExitCodeTest, MissingInputFileIsTheCallersMistake) {
  EXPECT_THAT(AsInputFileError(absl::NotFoundError("no x")),
              StatusIs(absl::StatusCode::kInvalidArgument, "no x"));
  EXPECT_THAT(AsInputFileError(absl::CancelledError("c")), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(AsInputFileError(absl::OkStatus()), IsOk());
}

TEST(ExitCodeTest, FileThatCannotBeWrittenIsNotAnUnreachableCoordinator) {
  EXPECT_EQ(ExitCodeOf(AsOutputFileError(absl::UnavailableError("disk"))), ExitCode::kFailed);
  EXPECT_THAT(AsOutputFileError(absl::ResourceExhaustedError("full")),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace entente::cli
