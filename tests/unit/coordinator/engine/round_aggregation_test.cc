// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/round_aggregation.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::engine {
namespace {

TEST(RoundAggregationTest, AcceptedUpdatesAloneAreWeightedAndFoundInTheSpool) {
  const TempFolder folder;
  PosixFileSystem files;
  ASSERT_OK_AND_ASSIGN(const auto spool, updates::UpdateSpool::Create(files, folder.path()));
  rounds::RoundState round;
  round.base_model = Sha256Of("base");
  round.participants[WorkerId("a/w")] = {.state = rounds::ParticipantState::kAccepted,
                                         .update = {.digest = Sha256Of("u"), .examples = 30}};
  round.participants[WorkerId("b/w")] = {.state = rounds::ParticipantState::kAccepted,
                                         .update = {.digest = Sha256Of("v"), .examples = 10}};
  round.participants[WorkerId("c/w")] = {.state = rounds::ParticipantState::kMissing,
                                         .update = {.examples = 99}};

  const RoundAggregation made =
      AggregationOf(JobId("j"), {.value_bound = 8}, round, Sha256Of("state"), *spool);

  ASSERT_EQ(made.weights.size(), 2U);
  EXPECT_DOUBLE_EQ(made.weights.at(WorkerId("a/w")), 0.75);
  EXPECT_EQ(made.request.base_model, Sha256Of("base"));
  EXPECT_EQ(made.request.optimizer_state, Sha256Of("state"));
  EXPECT_EQ(made.request.value_bound, 8);
  EXPECT_THAT(made.request.updates.at(WorkerId("b/w")).path,
              ::testing::HasSubstr(Sha256Of("v").ToHex()));
}

}  // namespace
}  // namespace entente::engine
