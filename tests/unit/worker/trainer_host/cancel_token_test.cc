// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/cancel_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "tests/support/status_matchers.h"

namespace entente::worker {
namespace {

TEST(CancelTokenTest, KeepsTheFirstReason) {
  CancelToken token;
  EXPECT_THAT(token.status(), IsOk());

  token.Cancel("the round closed");
  token.Cancel("something else");

  EXPECT_TRUE(token.cancelled());
  EXPECT_THAT(token.status(), StatusIs(absl::StatusCode::kCancelled, "the round closed"));
}

TEST(CancelTokenTest, CallsWhoRegisteredOnce) {
  CancelToken token;
  int calls = 0;
  const CancelToken::Registration registration = token.OnCancel([&] { ++calls; });

  token.Cancel("a");
  token.Cancel("b");

  EXPECT_EQ(calls, 1);
}

TEST(CancelTokenTest, CallsAtOnceWhenItIsCancelledAlready) {
  CancelToken token;
  token.Cancel("a");
  int calls = 0;

  const CancelToken::Registration registration = token.OnCancel([&] { ++calls; });

  EXPECT_EQ(calls, 1);
}

TEST(CancelTokenTest, DoesNotCallWhoHasGone) {
  CancelToken token;
  int calls = 0;
  {
    const CancelToken::Registration registration = token.OnCancel([&] { ++calls; });
  }

  token.Cancel("a");

  EXPECT_EQ(calls, 0);
}

// Lets no time pass.
class RecordedWait final : public CancellableWait {
 public:
  bool WaitFor(const CancelToken& token, absl::Duration limit) const override {
    waits.push_back(limit);
    return token.cancelled();
  }

  mutable std::vector<absl::Duration> waits;
};

TEST(CancelTokenTest, WaitsTheWayItIsTold) {
  const RecordedWait wait;
  CancelToken token(&wait);

  EXPECT_FALSE(token.WaitFor(absl::Hours(1)));
  token.Cancel("a");
  EXPECT_TRUE(token.WaitFor(absl::Hours(2)));

  EXPECT_EQ(wait.waits, (std::vector<absl::Duration>{absl::Hours(1), absl::Hours(2)}));
}

TEST(CancelTokenTest, WakesWhoWaits) {
  CancelToken token;
  std::thread canceller([&] { token.Cancel("a"); });

  EXPECT_TRUE(token.WaitFor(absl::Seconds(60)));

  canceller.join();
  EXPECT_FALSE(CancelToken().WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace entente::worker
