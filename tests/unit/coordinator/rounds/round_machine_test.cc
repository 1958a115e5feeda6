// SPDX-License-Identifier: Apache-2.0
// What stories tell better is in tests/scenarios; here are the contracts that hold for every story.
#include "coordinator/rounds/round_machine.h"

#include <gmock/gmock.h>

#include <random>
#include <vector>

#include "tests/support/status_matchers.h"

namespace entente::rounds {
namespace {

using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);
const WorkerId kFr("fr-lab/w");
const WorkerId kDe("de-lab/w");

RoundPolicy PolicyOf(uint32_t quorum) {
  return {.quorum_count = quorum, .quorum_share = {}, .deadline = absl::Minutes(10)};
}

RoundState OpenRound(uint32_t quorum) {
  const RoundState planned = Plan(2, 1, Sha256Of("base"), PolicyOf(quorum), kNoon).next;
  return Step(planned, Opened{{kFr, kDe}}, kNoon).value().next;
}

TEST(RoundMachineTest, PlanArmsItsOwnDeadline) {
  const Transition planned = Plan(0, 1, Sha256Of("base"), PolicyOf(1), kNoon);

  ASSERT_EQ(planned.effects.size(), 1U);
  EXPECT_EQ(std::get<ArmTimer>(planned.effects[0]).at, kNoon + absl::Minutes(10));
}

TEST(RoundMachineTest, MissedDeadlineAbortsAndSaysWhy) {
  const auto step = Step(OpenRound(2), DeadlineChecked{}, kNoon + absl::Minutes(10));

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->next.phase, RoundPhase::kAborted);
  EXPECT_EQ(step->reason, "deadline passed with 0 of 2 updates, invited de-lab/w, fr-lab/w");
}

TEST(RoundMachineTest, MissedDeadlineSaysForHowManyUpdatesThereWasNoRoom) {
  const auto step = Step(OpenRound(2), DeadlineChecked{1}, kNoon + absl::Minutes(10));

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->reason,
            "deadline passed with 0 of 2 updates, for 1 more there was no room on the "
            "coordinator's disk, invited de-lab/w, fr-lab/w");
}

TEST(RoundMachineTest, EndOfGraceSaysForHowManyUpdatesThereWasNoRoom) {
  const RoundState in_grace =
      Step(OpenRound(1), UpdateAccepted{kFr, {.examples = 3}}, kNoon).value().next;
  ASSERT_EQ(in_grace.phase, RoundPhase::kGrace);

  const auto step = Step(in_grace, DeadlineChecked{1}, kNoon + absl::Minutes(10));

  ASSERT_THAT(step, IsOk());
  EXPECT_THAT(
      step->reason,
      HasSubstr("grace is over, for 1 more there was no room on the coordinator's disk, missing"));
}

TEST(RoundMachineTest, DeadlineCheckedEarlyChangesNothing) {
  EXPECT_THAT(Step(OpenRound(2), DeadlineChecked{}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(RoundMachineTest, WeightsOfTheAggregationAreKept) {
  RoundState state = OpenRound(2);
  state = Step(state, UpdateAccepted{kFr, {.examples = 3}}, kNoon).value().next;
  state = Step(state, UpdateAccepted{kDe, {.examples = 1}}, kNoon).value().next;

  const auto step =
      Step(state, Aggregated{Sha256Of("m"), Sha256Of("o"), {{kFr, 0.75}, {kDe, 0.25}}}, kNoon);

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->next.participants.at(kFr).weight, 0.75);
  EXPECT_EQ(step->next.model, Sha256Of("m"));
  EXPECT_EQ(step->next.optimizer_state, Sha256Of("o"));
}

TEST(RoundMachineTest, WelcomeSaysWhyAnUpdateIsLate) {
  RoundState state = OpenRound(1);
  state = Step(state, UpdateAccepted{kFr, {.examples = 1}}, kNoon).value().next;
  state = Step(state, DeadlineChecked{}, kNoon + absl::Minutes(1)).value().next;

  EXPECT_THAT(CheckUpdateWelcome(state, kDe),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the update of de-lab/w is late: round 3 is aggregating")));
}

TEST(RoundMachineTest, WelcomeSaysThatAnUpdateIsEarly) {
  const RoundState planned = Plan(2, 1, Sha256Of("base"), PolicyOf(1), kNoon).next;

  EXPECT_THAT(CheckUpdateWelcome(planned, kDe),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the update of de-lab/w is early: round 3 is not open yet (waiting for "
                       "workers)"));
}

// With the code of the refusal, in case that did not arrive: the worker must not keep the update.
TEST(RoundMachineTest, RefusedWorkerCannotUploadAgain) {
  const RoundState state =
      Step(OpenRound(1), UpdateRefused{kFr, "it holds a NaN"}, kNoon).value().next;

  EXPECT_THAT(CheckUpdateWelcome(state, kFr),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("it holds a NaN")));
}

TEST(RoundMachineTest, RefusedUpdateIsKnownByItsDigestAndNotCountedAsOneThatIsIn) {
  const AnnouncedUpdate update = {.digest = Sha256Of("u"), .bytes = 40};
  const RoundState state =
      Step(OpenRound(1), UpdateRefused{kFr, "it holds a NaN", update}, kNoon).value().next;

  const Participant& participant = state.participants.at(kFr);
  EXPECT_EQ(participant.refused, update);
  EXPECT_EQ(participant.update, UpdateRecord{});
}

TEST(RoundMachineTest, OutOfReachNamesWhoFailedAndWhy) {
  const RoundState state = Step(OpenRound(1), WorkerFailed{kFr, "no data"}, kNoon).value().next;
  EXPECT_EQ(state.phase, RoundPhase::kCollecting) << "the other one may still come";

  const auto step = Step(state, WorkerFailed{kDe, "the trainer ended with signal 9"}, kNoon);

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->next.phase, RoundPhase::kAborted);
  EXPECT_EQ(step->reason,
            "quorum of 1 is out of reach with 0 in, failed de-lab/w (the trainer ended with signal "
            "9), fr-lab/w (no data)");
  EXPECT_EQ(step->next.participants.at(kFr).reason, "no data");
}

TEST(RoundMachineTest, WhoIsAtWorkAsTheAttemptEndsBeforeItsTimeIsUnfinishedNotMissing) {
  const RoundState state = Step(OpenRound(2), TaskAccepted{kDe}, kNoon).value().next;

  const auto step = Step(state, TaskDeclined{kFr, "rule hours: closed"}, kNoon);

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->reason,
            "quorum of 2 is out of reach with 0 in, declined fr-lab/w, not finished de-lab/w");
  const Participant& at_work = step->next.participants.at(kDe);
  EXPECT_EQ(at_work.state, ParticipantState::kUnfinished);
  EXPECT_EQ(at_work.reason, "was not finished when the attempt ended");
}

TEST(RoundMachineTest, WhoIsAtWorkAsTheDeadlinePassesIsMissing) {
  const auto step = Step(OpenRound(2), DeadlineChecked{}, kNoon + absl::Minutes(10));

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->next.participants.at(kDe).state, ParticipantState::kMissing);
  EXPECT_EQ(step->next.participants.at(kDe).reason, "was not in when the round closed");
}

TEST(RoundMachineTest, ManyLongReasonsOfFailuresAreCut) {
  RoundState state = OpenRound(1);
  for (const char* worker : {"a/w", "b/w", "c/w"}) state.participants[WorkerId(worker)] = {};
  absl::StatusOr<Transition> step = absl::UnknownError("no step");
  for (const char* worker : {"a/w", "b/w", "c/w", "de-lab/w", "fr-lab/w"}) {
    step = Step(state, WorkerFailed{WorkerId(worker), std::string(500, 'x')}, kNoon);
    ASSERT_THAT(step, IsOk());
    state = step->next;
  }

  EXPECT_THAT(step->reason, HasSubstr("xxx...), b/w (xxx"));
  EXPECT_THAT(step->reason, ::testing::EndsWith("xxx...), de-lab/w, fr-lab/w"));
  EXPECT_LT(step->reason.size(), 800U);
}

TEST(RoundMachineTest, FailedWorkerMayStillUploadAndIsNotSentItsTaskAgain) {
  const RoundState state = Step(OpenRound(1), WorkerFailed{kFr, "no data"}, kNoon).value().next;

  EXPECT_THAT(CheckUpdateWelcome(state, kFr), IsOk());
  EXPECT_THAT(Step(state, WorkerReturned{kFr}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Step(state, WorkerMissing{kFr, "silent"}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(RoundMachineTest, LostUpdateReopensTheRoundWithADeadlineFromThenOn) {
  RoundState state = OpenRound(2);
  state = Step(state, UpdateAccepted{kFr, {.examples = 3}}, kNoon).value().next;
  state = Step(state, UpdateAccepted{kDe, {.examples = 1}}, kNoon).value().next;
  ASSERT_EQ(state.phase, RoundPhase::kAggregating);
  const absl::Time late = kNoon + absl::Hours(1);

  const auto step = Step(state, UpdateLost{kFr, "it is damaged"}, late);

  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->next.phase, RoundPhase::kCollecting);
  EXPECT_EQ(step->next.closes_at, late + absl::Minutes(10));
  EXPECT_EQ(step->next.participants.at(kFr).state, ParticipantState::kInvited);
  EXPECT_EQ(step->next.participants.at(kFr).updates_lost, 1U);
  EXPECT_EQ(step->next.participants.at(kFr).reason, "its update was lost: it is damaged");
  EXPECT_EQ(step->next.participants.at(kDe), state.participants.at(kDe));
  EXPECT_THAT(CheckUpdateWelcome(step->next, kFr), IsOk());
  EXPECT_THAT(Step(step->next, UpdateLost{kFr, "it is damaged"}, late),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(RoundMachineTest, LossesOfAWorkerInAnAttemptAreCounted) {
  RoundState state = OpenRound(2);
  for (uint32_t losses = 1; losses <= 3; ++losses) {
    state = Step(state, UpdateAccepted{kFr, {.examples = 3}}, kNoon).value().next;
    state = Step(state, UpdateLost{kFr, "it is missing"}, kNoon).value().next;
    EXPECT_EQ(state.participants.at(kFr).updates_lost, losses);
  }
}

TEST(RoundMachineTest, UpdateThatIsNotReadAnyMoreCannotBeLost) {
  RoundState state = OpenRound(1);
  state = Step(state, UpdateAccepted{kFr, {.examples = 3}}, kNoon).value().next;
  state = Step(state, UpdateAccepted{kDe, {.examples = 3}}, kNoon).value().next;
  state = Step(state, Aggregated{Sha256Of("m"), {}, {}}, kNoon).value().next;
  ASSERT_EQ(state.phase, RoundPhase::kEvaluating);

  EXPECT_THAT(Step(state, UpdateLost{kFr, "it is damaged"}, kNoon),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("round 3 is evaluating; update lost does not apply then")));
}

// A random event about a random worker, legal or not.
RoundEvent RandomEvent(std::mt19937* random) {
  const auto pick = [random](int count) { return static_cast<int>((*random)() % count); };
  const WorkerId worker = std::vector<WorkerId>{kFr, kDe, WorkerId("xx/w")}[pick(3)];
  switch (pick(15)) {
    case 0:
      return Opened{{kFr, kDe}};
    case 1:
      return TaskAccepted{worker};
    case 2:
      return TaskDeclined{worker, "no"};
    case 3:
      return UpdateAccepted{worker, {.digest = Sha256Of("u"), .bytes = 4, .examples = 1}};
    case 4:
      return UpdateRefused{worker, "bad"};
    case 5:
      return WorkerMissing{worker, "silent"};
    case 6:
      return WorkerReturned{worker};
    case 7:
      return DeadlineChecked{};
    case 8:
      return Aggregated{Sha256Of("m"), {}, {}};
    case 9:
      return AggregationFailed{"disk"};
    case 10:
      return Evaluated{worker, {.examples = 1}};
    case 11:
      return EvaluationFailed{worker, "no data"};
    case 12:
      return WorkerFailed{worker, "no data"};
    case 13:
      return UpdateLost{worker, "damaged"};
    default:
      return pick(20) == 0 ? RoundEvent(Cancelled{"stop"}) : RoundEvent(TaskAccepted{worker});
  }
}

// Whatever happens, in whatever order: these hold after every step.
void CheckInvariants(const RoundState& before, const RoundEvent& event, const RoundState& after) {
  const uint32_t accepted = after.CountIn(ParticipantState::kAccepted);
  const uint32_t lost = std::holds_alternative<UpdateLost>(event) ? 1 : 0;
  EXPECT_GE(accepted + lost, before.CountIn(ParticipantState::kAccepted)) << "an update was lost";
  EXPECT_FALSE(before.HasEnded()) << "an ended round changed by " << EventName(event);
  const bool past_collecting = after.phase == RoundPhase::kAggregating ||
                               after.phase == RoundPhase::kEvaluating ||
                               after.phase == RoundPhase::kCommitted;
  if (past_collecting) {
    EXPECT_GE(accepted, after.updates_required) << "no quorum";
  }
  if (!after.HasEnded() && after.phase != RoundPhase::kAggregating) {
    EXPECT_LT(after.closes_at, absl::InfiniteFuture()) << "an unbounded wait";
  }
  if (after.IsOpen()) {
    const uint32_t may_come = after.CountIn(ParticipantState::kInvited) +
                              after.CountIn(ParticipantState::kWorking) +
                              after.CountIn(ParticipantState::kMissing);
    EXPECT_GE(accepted + may_come, after.updates_required) << "a wait for nobody";
  }
  EXPECT_FALSE(after.reason.empty());
}

TEST(RoundMachineTest, InvariantsHoldOverRandomHistories) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    RoundState state = Plan(0, 1, Sha256Of("base"), PolicyOf(1 + seed % 2), kNoon).next;
    absl::Time now = kNoon;
    for (int i = 0; i < 40; ++i) {
      now += absl::Seconds(random() % 60);
      const RoundEvent event = RandomEvent(&random);
      const auto step = Step(state, event, now);
      const auto again = Step(state, event, now);
      ASSERT_EQ(step.ok(), again.ok());
      if (!step.ok()) continue;
      EXPECT_EQ(step->next, again->next) << "not a function of its arguments";
      CheckInvariants(state, event, step->next);
      state = step->next;
    }
  }
}

}  // namespace
}  // namespace entente::rounds
