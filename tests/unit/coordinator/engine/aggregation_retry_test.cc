// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/aggregation_retry.h"

#include <gtest/gtest.h>

#include <optional>

#include "common/base/limits.h"

namespace entente::engine {
namespace {

TEST(AggregationRetryTest, ADiskMayRecoverAndIsGivenLongerAndLonger) {
  AggregationRetry retry(absl::Seconds(1));

  EXPECT_EQ(retry.PauseAfter(absl::ResourceExhaustedError("full")), absl::Seconds(1));
  EXPECT_EQ(retry.PauseAfter(absl::UnavailableError("io")), absl::Seconds(2));
  EXPECT_EQ(retry.PauseAfter(absl::UnavailableError("io")), absl::Seconds(4));
  retry.Reset();
  EXPECT_EQ(retry.PauseAfter(absl::UnavailableError("io")), absl::Seconds(1));
}

TEST(AggregationRetryTest, TriesAreBoundedAndTheNextAttemptHasThemAllAgain) {
  AggregationRetry retry(absl::Seconds(1));
  for (int i = 1; i < limits::kAggregationTriesMax; ++i) {
    EXPECT_TRUE(retry.PauseAfter(absl::UnavailableError("io")).has_value()) << i;
  }

  EXPECT_FALSE(retry.PauseAfter(absl::UnavailableError("io")).has_value());
  EXPECT_EQ(retry.PauseAfter(absl::UnavailableError("io")), absl::Seconds(1));
}

TEST(AggregationRetryTest, ForRoomItIsTriedWithoutEndAndThePausesStopGrowing) {
  AggregationRetry retry(absl::Seconds(1));
  std::optional<absl::Duration> pause;
  for (int i = 0; i < 3 * limits::kAggregationTriesMax; ++i) {
    pause = retry.PauseAfter(absl::ResourceExhaustedError("full"));
    ASSERT_TRUE(pause.has_value()) << i;
  }

  EXPECT_EQ(pause, absl::Seconds(16));
  // Those tries are not the device's.
  EXPECT_EQ(retry.PauseAfter(absl::UnavailableError("io")), absl::Seconds(16));
}

TEST(AggregationRetryTest, WhatWouldFailAgainIsNotTriedAgain) {
  AggregationRetry retry(absl::Seconds(1));

  for (const absl::Status& failure :
       {absl::InvalidArgumentError("not finite"), absl::DataLossError("changed"),
        absl::NotFoundError("gone"), absl::InternalError("bug")}) {
    EXPECT_FALSE(retry.PauseAfter(failure).has_value()) << failure;
  }
}

}  // namespace
}  // namespace entente::engine
