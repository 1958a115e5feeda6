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

TEST(RoundReportTest, TimeOfAnotherDaySaysWhich) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);

  EXPECT_EQ(ClockText(now, now), "22:13:20 UTC");
  EXPECT_EQ(ClockText(now + absl::Hours(2), now), "Wed 15 Nov 00:13:20 UTC");
}

TEST(RoundReportTest, SaysWhoIsAwaitedAndUntilWhen) {
  EXPECT_EQ(
      WaitingFor(CollectingRound(), {}, kReportedAt),
      "waiting for fr-lab/w, jp-lab/w; 1 of 4 in, 3 needed; closes in 41s, at 22:14:01 UTC, or "
      "when all are in");
}

TEST(RoundReportTest, PastDeadlineIsZeroNotNegative) {
  EXPECT_THAT(WaitingFor(CollectingRound(), {}, kReportedAt + absl::Hours(1)),
              ::testing::EndsWith("closes in 0"));
}

TEST(RoundReportTest, ManyNamesAreCounted) {
  RoundState state = CollectingRound();
  for (int i = 0; i < 20; ++i) state.participants[WorkerId(absl::StrCat("m", i, "/w"))] = {};

  EXPECT_THAT(WaitingFor(state, {}, kReportedAt), ::testing::HasSubstr(" and 16 more; 1 of 24 in"));
}

TEST(RoundReportTest, EndedRoundWaitsForNothing) {
  RoundState state = CollectingRound();
  state.phase = RoundPhase::kCommitted;

  EXPECT_EQ(WaitingFor(state, {}, kReportedAt), "");
  state.phase = RoundPhase::kAborted;
  EXPECT_EQ(WaitingFor(state, {}, kReportedAt), "");
}

TEST(RoundReportTest, SaysWhatEachDoesAndWhoIsMissing) {
  RoundState state = CollectingRound();
  state.participants[WorkerId("kr-lab/w")].state = ParticipantState::kMissing;
  const WaitCircumstances circumstances{
      .activities = {{WorkerId("fr-lab/w"), {.name = "training", .step = 40, .step_count = 200}},
                     {WorkerId("jp-lab/w"), {.name = "uploading", .step = 5, .step_count = 40}}}};

  EXPECT_THAT(WaitingFor(state, circumstances, kReportedAt),
              ::testing::StartsWith("waiting for fr-lab/w (training, step 40 of 200), jp-lab/w "
                                    "(uploading, 12 %), kr-lab/w (missing); 1 of 4 in"));
}

// What it said last is not what it does.
TEST(RoundReportTest, WhoIsNotAttachedIsSaidToBeGone) {
  const WaitCircumstances circumstances{
      .activities = {{WorkerId("fr-lab/w"), {.name = "training", .step = 40, .step_count = 200}}},
      .detached = {{WorkerId("fr-lab/w"), kReportedAt - absl::Seconds(10)}}};

  EXPECT_THAT(WaitingFor(CollectingRound(), circumstances, kReportedAt),
              ::testing::StartsWith(
                  "waiting for fr-lab/w (not attached since 22:13:10 UTC), jp-lab/w; 1 of 4 in"));
}

TEST(RoundReportTest, DeadlineOfAnotherDayNamesTheDay) {
  RoundState state = CollectingRound();
  state.closes_at = kReportedAt + absl::Hours(49);

  EXPECT_THAT(WaitingFor(state, {}, kReportedAt),
              ::testing::HasSubstr("closes in 49h, on Thu 16 Nov at 23:13:20 UTC"));
}

TEST(RoundReportTest, SkippedWorkersAreNotCounted) {
  RoundState state = CollectingRound();
  state.participants[WorkerId("jp-lab/w")].state = ParticipantState::kSkipped;

  EXPECT_THAT(WaitingFor(state, {}, kReportedAt),
              ::testing::StartsWith("waiting for fr-lab/w; 1 of 3 in, 3 needed"));
}

TEST(RoundReportTest, RestBeforeAnAttemptSaysItsEnd) {
  RoundState state;
  state.attempt = 3;

  EXPECT_EQ(WaitingFor(state, {.rests_until = kReportedAt + absl::Seconds(2)}, kReportedAt),
            "resting before attempt 3, since the one before was aborted; it opens in 2s, at "
            "22:13:22 UTC");
}

TEST(RoundReportTest, EveryPhaseSaysItsWait) {
  struct Row {
    RoundPhase phase;
    bool is_paused;
    const char* sentence;
  };
  const Row rows[] = {
      {RoundPhase::kPlanned, false,
       "waiting for enough workers with the data set: 2 there, 3 needed; kr-lab/w is away until "
       "Mon "
       "30 Nov 08:00 UTC; gives up in 41s, at 22:14:01 UTC"},
      {RoundPhase::kPlanned, true,
       "waiting for the job to be resumed; a paused job has no deadline"},
      {RoundPhase::kGrace, true,
       "waiting for fr-lab/w, jp-lab/w; 1 of 4 in, 3 needed; the job is paused, and opens no round "
       "after this one; closes in 41s, at 22:14:01 UTC, or when all are in"},
      {RoundPhase::kAggregating, false, "waiting for the coordinator to combine the updates"},
      {RoundPhase::kAggregating, true,
       "waiting for the coordinator to combine the updates; the job is paused, and opens no round "
       "after this one"},
      {RoundPhase::kEvaluating, false,
       "waiting for the evaluations of br-lab/w; closes in 41s, at 22:14:01 UTC, or when all are "
       "in"},
  };
  for (const Row& row : rows) {
    RoundState state = CollectingRound();
    state.phase = row.phase;
    state.policy.quorum_count = 3;
    state.participants[WorkerId("br-lab/w")].evaluation_awaited = true;
    const WaitCircumstances circumstances{
        .activities = {},
        .job_is_paused = row.is_paused,
        .workers_available = 2,
        .away = {{WorkerId("kr-lab/w"), "away until Mon 30 Nov 08:00 UTC"}}};

    EXPECT_EQ(WaitingFor(state, circumstances, kReportedAt), row.sentence);
  }
}

TEST(RoundReportTest, CombiningSaysWhichTryRunsAndWhyTheOneBeforeFailed) {
  RoundState state = CollectingRound();
  state.phase = RoundPhase::kAggregating;
  const absl::Time begun = kReportedAt - absl::Seconds(3);
  const auto sentence = [&state](const Combining& combining) {
    return WaitingFor(state, {.combining = combining}, kReportedAt);
  };

  EXPECT_EQ(sentence({.began_at = begun}),
            "waiting for the coordinator to combine the updates; try 1 began at 22:13:17 UTC");
  EXPECT_EQ(sentence({.tries = 3, .began_at = begun, .failure = "the disk is full"}),
            "waiting for the coordinator to combine the updates; try 3 began at 22:13:17 UTC, "
            "the one before failed: the disk is full");
  EXPECT_EQ(sentence({.stage = Combining::Stage::kPauses,
                      .tries = 2,
                      .began_at = begun,
                      .failure = "the disk is full",
                      .next_try_at = kReportedAt + absl::Seconds(2)}),
            "waiting for the coordinator to combine the updates; try 2 failed (the disk is "
            "full), and the next begins in 2s, at 22:13:22 UTC");
  EXPECT_EQ(sentence({.stage = Combining::Stage::kSearches,
                      .tries = 1,
                      .began_at = begun,
                      .failure = "the update of fr-lab/w changed"}),
            "waiting for the coordinator to combine the updates; try 1 failed for good (the "
            "update of fr-lab/w changed), and updates that were lost are looked for");
  EXPECT_EQ(sentence({.stage = Combining::Stage::kPauses,
                      .tries = 9,
                      .began_at = begun,
                      .failure = "the disk is full",
                      .next_try_at = kReportedAt + absl::Seconds(16),
                      .no_room_since = begun}),
            "waiting for room on the coordinator's disk to combine the updates, since 22:13:17 "
            "UTC; try 9 failed (the disk is full), and the next begins in 16s, at 22:13:36 UTC");
}

TEST(RoundReportTest, JournalThatTakesNothingIsWhyADeadlineIsNotKept) {
  const WaitCircumstances circumstances{.journal_failure = "the journal's disk is full"};

  EXPECT_THAT(WaitingFor(CollectingRound(), circumstances, kReportedAt + absl::Hours(1)),
              ::testing::EndsWith("closes in 0; the journal's disk is full; it is tried again "
                                  "every 1s"));

  RoundState ended = CollectingRound();
  ended.phase = RoundPhase::kCommitted;
  EXPECT_EQ(WaitingFor(ended, circumstances, kReportedAt), "");
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
