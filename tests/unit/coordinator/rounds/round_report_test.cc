// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_report.h"

#include <gmock/gmock.h>

#include <limits>

#include "absl/strings/str_cat.h"

namespace entente::rounds {
namespace {

const absl::Time kReportedAt = absl::FromUnixSeconds(1'700'000'000);

RoundState CollectingRound() {
  RoundState state;
  state.phase = RoundPhase::kCollecting;
  state.closes_at = kReportedAt + absl::Seconds(41);
  state.updates_required = 3;
  state.participants[WorkerId("br-lab/w")].state = ParticipantState::kAccepted;
  state.participants[WorkerId("fr-lab/w")].state = ParticipantState::kWorking;
  state.participants[WorkerId("jp-lab/w")].state = ParticipantState::kInvited;
  state.participants[WorkerId("kr-lab/w")].state = ParticipantState::kDeclined;
  return state;
}

TEST(RoundReportTest, SaysWhoIsAwaitedAndUntilWhen) {
  EXPECT_EQ(WaitingFor(CollectingRound(), kReportedAt),
            "waiting for fr-lab/w, jp-lab/w; 1 of 4 in, 3 needed; closes in 41s");
}

TEST(RoundReportTest, PastDeadlineIsZeroNotNegative) {
  EXPECT_THAT(WaitingFor(CollectingRound(), kReportedAt + absl::Hours(1)),
              ::testing::EndsWith("closes in 0"));
}

TEST(RoundReportTest, ManyNamesAreCounted) {
  RoundState state = CollectingRound();
  for (int i = 0; i < 20; ++i) state.participants[WorkerId(absl::StrCat("m", i, "/w"))] = {};

  EXPECT_THAT(WaitingFor(state, kReportedAt), ::testing::HasSubstr(" and 16 more; 1 of 24 in"));
}

TEST(RoundReportTest, EndedRoundWaitsForNothing) {
  RoundState state = CollectingRound();
  state.phase = RoundPhase::kCommitted;

  EXPECT_EQ(WaitingFor(state, kReportedAt), "");
}

TEST(RoundReportTest, EvaluationIsWeightedByExamples) {
  RoundState state;
  state.participants[WorkerId("a/w")].evaluation =
      Metrics{.examples = 300, .loss = 1.0, .accuracy = 0.9};
  state.participants[WorkerId("b/w")].evaluation =
      Metrics{.examples = 100, .loss = 2.0, .accuracy = 0.5};
  state.participants[WorkerId("c/w")] = {};

  const auto combined = CombinedEvaluation(state);

  ASSERT_TRUE(combined.has_value());
  EXPECT_EQ(combined->examples, 400U);
  EXPECT_DOUBLE_EQ(combined->loss, 1.25);
  EXPECT_DOUBLE_EQ(*combined->accuracy, 0.8);
}

TEST(RoundReportTest, AbsurdClaimsDoNotOverflow) {
  RoundState state;
  for (const char* worker : {"a/w", "b/w"}) {
    state.participants[WorkerId(worker)].evaluation = {
        .examples = std::numeric_limits<uint64_t>::max(), .loss = 1e308, .accuracy = 0.5};
  }

  const auto combined = CombinedEvaluation(state);

  ASSERT_TRUE(combined.has_value());
  EXPECT_EQ(combined->examples, std::numeric_limits<uint64_t>::max());
  EXPECT_DOUBLE_EQ(combined->loss, 1e308);
  EXPECT_DOUBLE_EQ(*combined->accuracy, 0.5);
}

TEST(RoundReportTest, NoEvaluationIsNone) {
  EXPECT_FALSE(CombinedEvaluation(CollectingRound()).has_value());
}

TEST(RoundReportTest, TrainingLossCountsAcceptedUpdatesOnly) {
  RoundState state;
  state.participants[WorkerId("a/w")] = {.state = ParticipantState::kAccepted,
                                         .update = {.examples = 3, .training_loss = 1.0}};
  state.participants[WorkerId("b/w")] = {.state = ParticipantState::kAccepted,
                                         .update = {.examples = 1, .training_loss = 2.0}};
  state.participants[WorkerId("c/w")] = {.state = ParticipantState::kRefused,
                                         .update = {.examples = 9, .training_loss = 50.0}};

  EXPECT_DOUBLE_EQ(CombinedTrainingLoss(state), 1.25);
}

}  // namespace
}  // namespace entente::rounds
