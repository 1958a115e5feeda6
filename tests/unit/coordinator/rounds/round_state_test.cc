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

}  // namespace
}  // namespace entente::rounds
