// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/round_state.h"

#include <gtest/gtest.h>

namespace entente::rounds {
namespace {

TEST(RoundStateTest, CountQuorumIsTheCount) {
  EXPECT_EQ(UpdatesRequired({.quorum_count = 3, .quorum_share = {}}, 10), 3U);
}

TEST(RoundStateTest, ShareQuorumIsRoundedUp) {
  EXPECT_EQ(UpdatesRequired({.quorum_count = {}, .quorum_share = 0.5}, 5), 3U);
  EXPECT_EQ(UpdatesRequired({.quorum_count = {}, .quorum_share = 0.8}, 5), 4U);
  EXPECT_EQ(UpdatesRequired({.quorum_count = {}, .quorum_share = 1.0}, 7), 7U);
}

TEST(RoundStateTest, ShareIsRoundedUpButNotForAHair) {
  EXPECT_EQ(ShareOf(0.25, 25), 7U);
  EXPECT_EQ(ShareOf(0.28, 25), 7U);  // 7.000000000000001 in binary.
  EXPECT_EQ(ShareOf(1.0, 0), 0U);
}

TEST(RoundStateTest, QuorumIsNeverZero) {
  EXPECT_EQ(UpdatesRequired({.quorum_count = {}, .quorum_share = 0.5}, 0), 1U);
}

TEST(RoundStateTest, CountsParticipantsInAState) {
  RoundState state;
  state.participants[WorkerId("a/w")].state = ParticipantState::kAccepted;
  state.participants[WorkerId("b/w")].state = ParticipantState::kMissing;
  state.participants[WorkerId("c/w")].state = ParticipantState::kAccepted;

  EXPECT_EQ(state.CountIn(ParticipantState::kAccepted), 2U);
  EXPECT_EQ(state.CountIn(ParticipantState::kDeclined), 0U);
}

TEST(RoundStateTest, NamesAreTheWordsOfTheGlossary) {
  EXPECT_EQ(PhaseName(RoundPhase::kGrace), "grace");
  EXPECT_EQ(ParticipantStateName(ParticipantState::kDeclined), "declined");
}

TEST(RoundStateTest, UpdateIsAwaitedWhileTheRoundIsOpenAndItMayCome) {
  const WorkerId worker("fr-lab/w");
  RoundState round;
  round.phase = RoundPhase::kGrace;
  EXPECT_FALSE(round.AwaitsUpdateOf(worker));
  for (const ParticipantState state :
       {ParticipantState::kInvited, ParticipantState::kWorking, ParticipantState::kMissing}) {
    round.participants[worker].state = state;
    EXPECT_TRUE(round.AwaitsUpdateOf(worker));
  }
  for (const ParticipantState state : {ParticipantState::kAccepted, ParticipantState::kDeclined,
                                       ParticipantState::kFailed, ParticipantState::kSkipped}) {
    round.participants[worker].state = state;
    EXPECT_FALSE(round.AwaitsUpdateOf(worker));
  }
  round.participants[worker].state = ParticipantState::kWorking;
  round.phase = RoundPhase::kAggregating;
  EXPECT_FALSE(round.AwaitsUpdateOf(worker));
}

TEST(RoundStateTest, EvaluationIsAwaitedOfWhomWasAsked) {
  const WorkerId worker("fr-lab/w");
  RoundState round;
  EXPECT_FALSE(round.AwaitsEvaluationOf(worker));
  round.participants[worker].evaluation_awaited = true;
  EXPECT_TRUE(round.AwaitsEvaluationOf(worker));
}

}  // namespace
}  // namespace entente::rounds
