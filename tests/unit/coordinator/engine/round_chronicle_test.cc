// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/round_chronicle.h"

#include <gmock/gmock.h>

namespace entente::engine {
namespace {

using rounds::RoundPhase;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

jobs::JobTransition InPhase(RoundPhase phase, const std::string& reason) {
  jobs::JobTransition transition;
  transition.next.round.phase = phase;
  transition.next.round.reason = reason;
  return transition;
}

TEST(RoundChronicleTest, PhasesAreNotedOnceWithWhenAndWhy) {
  RoundChronicles chronicles;

  chronicles.Note(InPhase(RoundPhase::kPlanned, ""), 1, kNoon);
  chronicles.Note(InPhase(RoundPhase::kCollecting, "asked"), 2, kNoon + absl::Seconds(1));
  chronicles.Note(InPhase(RoundPhase::kCollecting, "asked"), 3, kNoon + absl::Seconds(2));

  const RoundChronicle& round = chronicles.in_flight();
  EXPECT_EQ(round.sequence_first, 2U);
  ASSERT_EQ(round.phases.size(), 2U);
  EXPECT_EQ(round.phases[1].phase, RoundPhase::kCollecting);
  EXPECT_EQ(round.phases[1].at, kNoon + absl::Seconds(1));
  EXPECT_EQ(round.phases[1].reason, "asked");
  EXPECT_EQ(chronicles.sequence(), 3U);
}

TEST(RoundChronicleTest, EndedAttemptIsKeptAndTheNextOneBegins) {
  RoundChronicles chronicles;
  chronicles.Note(InPhase(RoundPhase::kPlanned, ""), 1, kNoon);
  chronicles.NoteActivity(WorkerId("fr-lab/w"), "training", kNoon);
  jobs::JobTransition end = InPhase(RoundPhase::kPlanned, "");
  end.next.round.attempt = 2;
  end.ended_round = rounds::RoundState{.phase = RoundPhase::kAborted, .reason = "deadline"};

  chronicles.Note(end, 5, kNoon + absl::Seconds(9));

  ASSERT_EQ(chronicles.ended().size(), 1U);
  EXPECT_EQ(chronicles.ended()[0]->sequence_last, 5U);
  EXPECT_EQ(chronicles.ended()[0]->phases.back().reason, "deadline");
  EXPECT_EQ(chronicles.in_flight().attempt, 2U);
  EXPECT_EQ(chronicles.in_flight().sequence_first, 6U);
  EXPECT_TRUE(chronicles.in_flight().activities.empty());
}

TEST(RoundChronicleTest, ActivitiesAreNotedWhenTheyChangeAndAreFew) {
  RoundChronicles chronicles;
  const WorkerId worker("fr-lab/w");

  for (int i = 0; i < 100; ++i) {
    chronicles.NoteActivity(worker, i % 4 < 2 ? "training" : "uploading", kNoon + absl::Seconds(i));
  }
  chronicles.NoteActivity(worker, "", kNoon);

  const auto& starts = chronicles.in_flight().activities.at(worker);
  EXPECT_EQ(starts.size(), 16U);
  EXPECT_EQ(starts.back().activity, "uploading");
  EXPECT_EQ(starts.back().at, kNoon + absl::Seconds(98));
}

}  // namespace
}  // namespace entente::engine
