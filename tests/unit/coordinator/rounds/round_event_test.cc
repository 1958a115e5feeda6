// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_event.h"

#include <gtest/gtest.h>

#include <set>
#include <variant>

namespace entente::rounds {
namespace {

TEST(RoundEventTest, EveryEventHasItsOwnName) {
  EXPECT_EQ(EventName(Opened{}), "opened");
  EXPECT_EQ(EventName(UpdateAccepted{}), "update accepted");
  EXPECT_EQ(EventName(WorkerFailed{}), "worker failed");
  EXPECT_EQ(EventName(DeadlineChecked{}), "deadline checked");
  EXPECT_EQ(EventName(EvaluationFailed{}), "evaluation failed");
  EXPECT_EQ(EventName(Cancelled{}), "cancelled");

  const absl::Span<const absl::string_view> names = EventNames();
  EXPECT_EQ(std::set<absl::string_view>(names.begin(), names.end()).size(),
            std::variant_size_v<RoundEvent>);
}

}  // namespace
}  // namespace entente::rounds
