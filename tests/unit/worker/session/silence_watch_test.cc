// SPDX-License-Identifier: Apache-2.0
#include "worker/session/silence_watch.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_clock.h"

namespace entente::worker {
namespace {

using Verdict = SilenceWatch::Verdict;

constexpr absl::Duration kInterval = absl::Seconds(5);

class SilenceWatchTest : public ::testing::Test {
 protected:
  Verdict CheckAfter(absl::Duration pause) {
    clock_.Advance(pause);
    return watch_.Check(clock_.Now());
  }

  SimulatedClock clock_;
  SilenceWatch watch_{clock_.Now(), kInterval};
};

TEST_F(SilenceWatchTest, ThreeUnansweredHeartbeatsAreSentAndThenThePeerIsGivenUp) {
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kGiveUp);
}

TEST_F(SilenceWatchTest, NothingIsDueBeforeItsInterval) {
  EXPECT_EQ(CheckAfter(kInterval - absl::Nanoseconds(1)), Verdict::kNotDue);
  EXPECT_EQ(CheckAfter(absl::Nanoseconds(1)), Verdict::kBeat);
  EXPECT_EQ(watch_.due_at(), clock_.Now() + kInterval);
  EXPECT_EQ(CheckAfter(kInterval - absl::Nanoseconds(1)), Verdict::kNotDue);
}

TEST_F(SilenceWatchTest, AWordFromThePeerStartsTheCountAnew) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);

  watch_.Heard();

  for (int i = 0; i < 3; ++i) EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kGiveUp);
}

TEST_F(SilenceWatchTest, AProcessThatWasSuspendedAsksBeforeItGivesUp) {
  EXPECT_EQ(CheckAfter(absl::Hours(1)), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kBeat);
  EXPECT_EQ(CheckAfter(kInterval), Verdict::kGiveUp);
}

}  // namespace
}  // namespace entente::worker
