// SPDX-License-Identifier: Apache-2.0
#include "coordinator/rounds/cohort_selection.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace entente::rounds {
namespace {

std::vector<WorkerId> Workers(int count) {
  std::vector<WorkerId> workers;
  for (int i = 0; i < count; ++i) workers.emplace_back(absl::StrCat("m", i, "/w"));
  return workers;
}

TEST(CohortSelectionTest, FractionOneTakesEverybodySorted) {
  std::vector<WorkerId> workers = Workers(5);
  std::reverse(workers.begin(), workers.end());

  EXPECT_EQ(SelectCohort({.eligible = workers}), Workers(5));
}

TEST(CohortSelectionTest, FractionIsRoundedUp) {
  EXPECT_EQ(SelectCohort({.eligible = Workers(5), .fraction = 0.5}).size(), 3U);
  EXPECT_EQ(SelectCohort({.eligible = Workers(5), .fraction = 0.6}).size(), 3U);
  EXPECT_EQ(SelectCohort({.eligible = Workers(5), .fraction = 0.01}).size(), 1U);
}

TEST(CohortSelectionTest, OrderOfArrivalDoesNotMatter) {
  std::vector<WorkerId> reversed = Workers(20);
  std::reverse(reversed.begin(), reversed.end());

  EXPECT_EQ(SelectCohort({.eligible = Workers(20), .fraction = 0.3, .seed = 7}),
            SelectCohort({.eligible = reversed, .fraction = 0.3, .seed = 7}));
}

TEST(CohortSelectionTest, SeedRoundAndAttemptEachDrawAnew) {
  const auto draw = [](uint64_t seed, uint32_t round, uint32_t attempt) {
    return SelectCohort({.eligible = Workers(40),
                         .fraction = 0.25,
                         .seed = seed,
                         .round_index = round,
                         .attempt = attempt});
  };

  EXPECT_NE(draw(1, 0, 1), draw(2, 0, 1));
  EXPECT_NE(draw(1, 0, 1), draw(1, 1, 1));
  EXPECT_NE(draw(1, 0, 1), draw(1, 0, 2));
  EXPECT_EQ(draw(1, 0, 1), draw(1, 0, 1));
}

TEST(CohortSelectionTest, OverManyRoundsEverybodyIsAskedAboutAsOften) {
  std::map<WorkerId, int> asked;
  for (uint32_t round = 0; round < 1000; ++round) {
    for (const WorkerId& worker : SelectCohort(
             {.eligible = Workers(10), .fraction = 0.3, .seed = 5, .round_index = round})) {
      ++asked[worker];
    }
  }

  for (const auto& [worker, times] : asked) EXPECT_NEAR(times, 300, 60) << worker;
}

TEST(CohortSelectionTest, NobodyEligibleIsAnEmptyCohort) {
  EXPECT_TRUE(SelectCohort({.eligible = {}, .fraction = 0.5}).empty());
}

}  // namespace
}  // namespace entente::rounds
