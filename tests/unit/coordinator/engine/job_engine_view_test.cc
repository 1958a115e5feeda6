// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::engine {
namespace {

using rounds::RoundPhase;

class JobEngineViewTest : public EngineTest {};

std::vector<RoundPhase> PhasesOf(const RoundChronicle& chronicle) {
  std::vector<RoundPhase> phases;
  for (const PhaseStart& start : chronicle.phases) phases.push_back(start.phase);
  return phases;
}

TEST_F(JobEngineViewTest, HistoryHasAChronicleBesideEveryEndedRound) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(2, 1));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(1), 1, 0), IsOk());
  WaitForEnd(*job);

  const JobHistory history = job->History();

  ASSERT_EQ(history.rounds.size(), 2U);
  ASSERT_EQ(history.chronicles.size(), 2U);
  EXPECT_THAT(PhasesOf(*history.chronicles[1]),
              ::testing::ElementsAre(RoundPhase::kPlanned, RoundPhase::kCollecting,
                                     RoundPhase::kAggregating, RoundPhase::kCommitted));
  EXPECT_EQ(history.chronicles[1]->sequence_first, history.chronicles[0]->sequence_last + 1);
}

TEST_F(JobEngineViewTest, ChroniclesAreTheSameAfterARestart) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  ASSERT_THAT(Upload("fr-lab/w", fr->WaitForTask(0), 1, 0), IsOk());
  WaitForEnd(*job);
  const RoundChronicle before = *job->History().chronicles.at(0);
  const JobId id = job->description().id;

  Restart();
  ASSERT_THAT(jobs_->Restore(), IsOk());

  const RoundChronicle after = *jobs_->Find(id).value()->History().chronicles.at(0);
  EXPECT_EQ(PhasesOf(after), PhasesOf(before));
  EXPECT_EQ(after.phases.back().at, before.phases.back().at);
  EXPECT_EQ(after.sequence_last, before.sequence_last);
}

}  // namespace
}  // namespace entente::engine
