// SPDX-License-Identifier: Apache-2.0
#include "worker/session/transfer_retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace entente::worker {
namespace {

TEST(TransferRetryTest, ARefusalEndsAndABrokenLineDoesNot) {
  EXPECT_TRUE(MayHelpToTryAgain(absl::UnavailableError("")));
  EXPECT_TRUE(MayHelpToTryAgain(absl::ResourceExhaustedError("")));
  EXPECT_TRUE(MayHelpToTryAgain(absl::DataLossError("")));
  EXPECT_TRUE(MayHelpToTryAgain(absl::OutOfRangeError("")));
  EXPECT_FALSE(MayHelpToTryAgain(absl::InvalidArgumentError("")));
  EXPECT_FALSE(MayHelpToTryAgain(absl::FailedPreconditionError("")));
  EXPECT_FALSE(MayHelpToTryAgain(absl::PermissionDeniedError("")));
  EXPECT_FALSE(MayHelpToTryAgain(absl::NotFoundError("")));
}

TEST(TransferRetryTest, WhoIsNotAdmittedTriesAgain) {
  EXPECT_TRUE(MayHelpToTryAgain(absl::UnauthenticatedError("")));
  EXPECT_TRUE(MayHelpToSendAgain(absl::UnauthenticatedError("")));
  EXPECT_TRUE(MayHelpToSendAgain(absl::PermissionDeniedError("")));
  EXPECT_TRUE(MayHelpToSendAgain(absl::UnavailableError("")));
  EXPECT_FALSE(MayHelpToSendAgain(absl::InvalidArgumentError("")));
  EXPECT_FALSE(MayHelpToSendAgain(absl::FailedPreconditionError("")));
  EXPECT_FALSE(MayHelpToSendAgain(absl::AlreadyExistsError("")));
  EXPECT_FALSE(MayHelpToSendAgain(absl::NotFoundError("")));
}

TEST(TransferRetryTest, OnlyWhatIsSaidOfTheUpdateOrItsRoundRefusesIt) {
  EXPECT_TRUE(IsRefusalOfUpdate(absl::InvalidArgumentError("")));
  EXPECT_TRUE(IsRefusalOfUpdate(absl::FailedPreconditionError("")));
  EXPECT_TRUE(IsRefusalOfUpdate(absl::AlreadyExistsError("")));
  EXPECT_FALSE(IsRefusalOfUpdate(absl::UnauthenticatedError("")));
  EXPECT_FALSE(IsRefusalOfUpdate(absl::PermissionDeniedError("")));
  EXPECT_FALSE(IsRefusalOfUpdate(absl::NotFoundError("")));
  EXPECT_FALSE(IsRefusalOfUpdate(absl::UnimplementedError("")));
  EXPECT_FALSE(IsRefusalOfUpdate(absl::InternalError("")));
}

TEST(TransferRetryTest, TriesUntilItWorks) {
  SystemRandomSource random;
  int tries = 0;

  const absl::Status status = RetryTransfer("x", &random, CancelToken(), [&](bool*) {
    return ++tries < 3 ? absl::UnavailableError("the line is cut") : absl::OkStatus();
  });

  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(tries, 3);
}

TEST(TransferRetryTest, StopsAtARefusal) {
  SystemRandomSource random;
  int tries = 0;

  const absl::Status status = RetryTransfer("x", &random, CancelToken(), [&](bool*) {
    ++tries;
    return absl::InvalidArgumentError("tensor w holds a NaN");
  });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "tensor w holds a NaN"));
  EXPECT_EQ(tries, 1);
}

TEST(TransferRetryTest, TriesAgainWhatItIsToldMayHelp) {
  SystemRandomSource random;
  int tries = 0;

  const absl::Status status = RetryTransfer(
      "x", &random, CancelToken(),
      [&](bool*) {
        return ++tries < 3 ? absl::PermissionDeniedError("another role") : absl::OkStatus();
      },
      &MayHelpToSendAgain);

  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(tries, 3);
}

TEST(TransferRetryTest, CancellingEndsTheWait) {
  SystemRandomSource random;
  CancelToken cancel;

  const absl::Status status = RetryTransfer("x", &random, cancel, [&](bool*) {
    cancel.Cancel("the round closed");
    return absl::UnavailableError("the line is cut");
  });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "the round closed"));
}

}  // namespace
}  // namespace entente::worker
