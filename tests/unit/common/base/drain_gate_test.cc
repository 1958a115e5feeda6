// SPDX-License-Identifier: Apache-2.0
#include "common/base/drain_gate.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"

namespace entente {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);
constexpr absl::Duration kShort = absl::Milliseconds(5);

TEST(DrainGateTest, OpenGateLetsEverybodyIn) {
  DrainGate gate;

  EXPECT_TRUE(gate.Enter());
  EXPECT_TRUE(gate.Enter());
}

TEST(DrainGateTest, EmptyGateClosesAtOnce) {
  DrainGate gate;

  EXPECT_TRUE(gate.CloseAndWait(absl::ZeroDuration()));
}

TEST(DrainGateTest, ClosedGateLetsNobodyIn) {
  DrainGate gate;
  gate.CloseAndWait(absl::ZeroDuration());

  EXPECT_FALSE(gate.Enter());
}

TEST(DrainGateTest, WaitEndsAtItsLimitWhileSomebodyIsInside) {
  DrainGate gate;
  ASSERT_TRUE(gate.Enter());

  EXPECT_FALSE(gate.CloseAndWait(kShort));
}

TEST(DrainGateTest, ClosingAgainSucceedsOnceAllHaveLeft) {
  DrainGate gate;
  ASSERT_TRUE(gate.Enter());
  ASSERT_TRUE(gate.Enter());
  ASSERT_FALSE(gate.CloseAndWait(kShort));

  gate.Leave();
  EXPECT_FALSE(gate.CloseAndWait(kShort));
  gate.Leave();

  EXPECT_TRUE(gate.CloseAndWait(kShort));
}

TEST(DrainGateTest, ClosingEndsAsTheLastOneLeaves) {
  const SteadyClock clock;
  DrainGate gate;
  ASSERT_TRUE(gate.Enter());
  const absl::Time start = clock.Now();
  std::thread work([&gate] {
    absl::SleepFor(kShort);
    gate.Leave();
  });

  EXPECT_TRUE(gate.CloseAndWait(kLong));

  // One whom nobody tells finds out at the limit.
  EXPECT_LT(clock.Now() - start, kLong);
  work.join();
}

TEST(DrainGateTest, ClosingWaitsForWorkOnAnotherThread) {
  DrainGate gate;
  absl::Notification inside;
  absl::Notification may_leave;
  std::thread work([&] {
    ASSERT_TRUE(gate.Enter());
    inside.Notify();
    may_leave.WaitForNotification();
    gate.Leave();
  });
  inside.WaitForNotification();
  ASSERT_FALSE(gate.CloseAndWait(absl::ZeroDuration()));

  may_leave.Notify();

  EXPECT_TRUE(gate.CloseAndWait(kLong));
  work.join();
}

}  // namespace
}  // namespace entente
