// SPDX-License-Identifier: Apache-2.0
#include "sim/federation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(FederationTest, TheSameSeedGivesTheSameRun) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const SimulationResult once = RunSimulation({.seed = seed, .keeps_trace = true});
    const SimulationResult again = RunSimulation({.seed = seed, .keeps_trace = true});

    EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(once.events, again.events) << "seed " << seed;
    EXPECT_EQ(once.faults, again.faults) << "seed " << seed;
  }
}

TEST(FederationTest, LookingAtARunDoesNotChangeIt) {
  const SimulationResult watched = RunSimulation({.seed = 7, .keeps_trace = true});
  const SimulationResult unwatched = RunSimulation({.seed = 7, .keeps_trace = false});

  EXPECT_EQ(watched.events, unwatched.events);
  EXPECT_EQ(unwatched.trace, "");
}

TEST(FederationTest, TheTraceIsASequenceDiagramOfWhatHappened) {
  const SimulationResult result = RunSimulation({.seed = 3, .keeps_trace = true});

  EXPECT_THAT(result.trace, StartsWith("sequenceDiagram\n"));
  EXPECT_THAT(result.trace, HasSubstr("worker1->>coordinator: "));
  EXPECT_THAT(result.trace, HasSubstr(" train round 1 attempt 1\n"));
  EXPECT_THAT(result.trace, HasSubstr("coordinator->>worker1: "));
}

TEST(FederationTest, AJobHasTheRoundsThatWereAskedFor) {
  const SimulationResult result = RunSimulation({.seed = 2, .rounds = 6, .keeps_trace = false});

  EXPECT_EQ(result.violation, "");
  EXPECT_EQ(result.rounds, 6U);
}

TEST(FederationTest, SomeSeedsHaveFaultsAndStillKeepThePromises) {
  uint64_t faults = 0;
  for (uint64_t seed = 100; seed < 120; ++seed) {
    const SimulationResult result = RunSimulation({.seed = seed, .keeps_trace = false});
    EXPECT_EQ(result.violation, "") << "seed " << seed;
    faults += result.faults;
  }
  EXPECT_GT(faults, 20U);
}

}  // namespace
}  // namespace entente::sim
