// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/stale_task.h"

#include <gmock/gmock.h>

namespace entente::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

const WorkerId kStaleId("fr-lab/w");

v1::TaskKey StaleKey(uint32_t round_index, uint32_t attempt,
                     v1::TaskKey::Kind kind = v1::TaskKey::KIND_TRAIN) {
  v1::TaskKey key;
  key.set_round_index(round_index);
  key.set_attempt(attempt);
  key.set_kind(kind);
  return key;
}

// A running job whose round 2, attempt 1, is in this phase, with the worker in this state.
jobs::JobState JobIn(rounds::RoundPhase phase, rounds::ParticipantState state) {
  jobs::JobState job;
  job.round.round_index = 1;
  job.round.phase = phase;
  job.round.reason = "why it is so";
  job.round.participants[kStaleId].state = state;
  return job;
}

std::optional<std::string> WhyInFlight(const jobs::JobState& job,
                                       v1::TaskKey::Kind kind = v1::TaskKey::KIND_TRAIN) {
  return WhyCalledOff(job, nullptr, kStaleId, StaleKey(1, 1, kind));
}

TEST(WhyCalledOffTest, WhatMayStillCountIsLeftAlone) {
  using State = rounds::ParticipantState;
  for (const State state : {State::kInvited, State::kWorking, State::kMissing, State::kFailed,
                            State::kSkipped, State::kAccepted}) {
    SCOPED_TRACE(rounds::ParticipantStateName(state));
    EXPECT_EQ(WhyInFlight(JobIn(rounds::RoundPhase::kCollecting, state)), std::nullopt);
  }
}

TEST(WhyCalledOffTest, WhoIsOutOfTheRoundHearsWhy) {
  using State = rounds::ParticipantState;
  EXPECT_THAT(WhyInFlight(JobIn(rounds::RoundPhase::kCollecting, State::kDeclined)),
              Optional(HasSubstr("declined in round 2")));
  EXPECT_THAT(WhyInFlight(JobIn(rounds::RoundPhase::kGrace, State::kRefused)),
              Optional(HasSubstr("refused in round 2")));
  jobs::JobState without = JobIn(rounds::RoundPhase::kCollecting, State::kWorking);
  without.round.participants.clear();
  EXPECT_THAT(WhyInFlight(without), Optional(HasSubstr("not in the cohort of round 2")));
}

TEST(WhyCalledOffTest, RoundThatClosedWithoutItSaysSo) {
  EXPECT_THAT(
      WhyInFlight(JobIn(rounds::RoundPhase::kAggregating, rounds::ParticipantState::kMissing)),
      Optional(HasSubstr("round 2 is aggregating (why it is so)")));
}

TEST(WhyCalledOffTest, UpdateThatIsInIsNotForgotten) {
  using State = rounds::ParticipantState;
  EXPECT_EQ(WhyInFlight(JobIn(rounds::RoundPhase::kAggregating, State::kAccepted)), std::nullopt);
  const jobs::JobState now = JobIn(rounds::RoundPhase::kCollecting, State::kInvited);
  rounds::RoundState ended = JobIn(rounds::RoundPhase::kCommitted, State::kAccepted).round;
  ended.round_index = 0;
  EXPECT_EQ(WhyCalledOff(now, &ended, kStaleId, StaleKey(0, 1)), std::nullopt);
}

TEST(WhyCalledOffTest, EvaluationIsLeftAloneWhileItIsAwaited) {
  jobs::JobState job = JobIn(rounds::RoundPhase::kEvaluating, rounds::ParticipantState::kAccepted);
  EXPECT_THAT(WhyInFlight(job, v1::TaskKey::KIND_EVALUATE), Optional(HasSubstr("is evaluating")));
  job.round.participants[kStaleId].evaluation_awaited = true;
  EXPECT_EQ(WhyInFlight(job, v1::TaskKey::KIND_EVALUATE), std::nullopt);
}

TEST(WhyCalledOffTest, RoundThatIsNotOpenYetWillAskAgain) {
  jobs::JobState job = JobIn(rounds::RoundPhase::kPlanned, rounds::ParticipantState::kInvited);
  job.round.participants.clear();
  EXPECT_EQ(WhyInFlight(job), std::nullopt);
}

TEST(WhyCalledOffTest, AttemptThatNeverWasIsNotInFlight) {
  const jobs::JobState job =
      JobIn(rounds::RoundPhase::kCollecting, rounds::ParticipantState::kWorking);
  EXPECT_THAT(WhyCalledOff(job, nullptr, kStaleId, StaleKey(6, 2)),
              Optional(std::string("round 7 attempt 2 is not in flight; round 2 attempt 1 is")));
}

}  // namespace
}  // namespace entente::engine
