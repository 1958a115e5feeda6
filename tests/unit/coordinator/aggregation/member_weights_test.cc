// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/member_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "tests/support/status_matchers.h"

namespace entente::aggregation {
namespace {

using ::testing::HasSubstr;

using Examples = std::map<WorkerId, uint64_t>;
using Weights = std::map<WorkerId, double>;

void ExpectWeights(const Weights& actual, const std::map<std::string, double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [worker, weight] : actual) {
    EXPECT_NEAR(weight, expected.at(worker.value()), 1e-15) << worker;
  }
}

Weights WeightsOf(const std::map<std::string, uint64_t>& examples, Weighting weighting,
                  double cap) {
  Examples by_id;
  for (const auto& [worker, count] : examples) by_id[WorkerId(worker)] = count;
  const auto weights = MemberWeights(by_id, weighting, cap);
  EXPECT_THAT(weights, IsOk());
  return weights.ok() ? *weights : Weights();
}

TEST(MemberWeightsTest, ExamplesAreShares) {
  ExpectWeights(WeightsOf({{"a/1", 100}, {"b/1", 300}}, Weighting::kExamples, 1),
                {{"a/1", 0.25}, {"b/1", 0.75}});
}

TEST(MemberWeightsTest, UniformCountsMembersNotWorkers) {
  ExpectWeights(WeightsOf({{"a/1", 5}, {"a/2", 500}, {"b/1", 1}}, Weighting::kUniform, 1),
                {{"a/1", 0.25}, {"a/2", 0.25}, {"b/1", 0.5}});
}

TEST(MemberWeightsTest, OnlyWorkerHasTheWholeWeight) {
  ExpectWeights(WeightsOf({{"a/1", 7}}, Weighting::kExamples, 0.2), {{"a/1", 1}});
}

TEST(MemberWeightsTest, ExcessGoesToTheOthersInProportion) {
  // a: 0.8 is cut to 0.5; b and c share the other half 3 to 1.
  ExpectWeights(WeightsOf({{"a/1", 80}, {"b/1", 15}, {"c/1", 5}}, Weighting::kExamples, 0.5),
                {{"a/1", 0.5}, {"b/1", 0.375}, {"c/1", 0.125}});
}

TEST(MemberWeightsTest, ExcessMayPushOthersOverTheCapInTheirTurn) {
  // Cap 0.3. First a (0.6) is fixed: b, c, d, e share 0.7 as 20:10:6:4, which is 0.35, 0.175, 0.105
  // and 0.07. Then b is fixed: c, d, e share 0.4 as 10:6:4.
  ExpectWeights(WeightsOf({{"a/1", 60}, {"b/1", 20}, {"c/1", 10}, {"d/1", 6}, {"e/1", 4}},
                          Weighting::kExamples, 0.3),
                {{"a/1", 0.3}, {"b/1", 0.3}, {"c/1", 0.2}, {"d/1", 0.12}, {"e/1", 0.08}});
}

TEST(MemberWeightsTest, CapThatNobodyCanKeepMakesAllEqual) {
  ExpectWeights(WeightsOf({{"a/1", 90}, {"b/1", 9}, {"c/1", 1}}, Weighting::kExamples, 0.25),
                {{"a/1", 1.0 / 3}, {"b/1", 1.0 / 3}, {"c/1", 1.0 / 3}});
}

TEST(MemberWeightsTest, CapThatFitsExactlyMakesAllEqual) {
  ExpectWeights(WeightsOf({{"a/1", 90}, {"b/1", 9}, {"c/1", 1}, {"d/1", 1}, {"e/1", 2}},
                          Weighting::kExamples, 0.2),
                {{"a/1", 0.2}, {"b/1", 0.2}, {"c/1", 0.2}, {"d/1", 0.2}, {"e/1", 0.2}});
}

TEST(MemberWeightsTest, CapHoldsForAMembersWorkersTogether) {
  // Each worker of a is under the cap; together they are not.
  ExpectWeights(
      WeightsOf({{"a/1", 30}, {"a/2", 45}, {"b/1", 15}, {"c/1", 10}}, Weighting::kExamples, 0.5),
      {{"a/1", 0.2}, {"a/2", 0.3}, {"b/1", 0.3}, {"c/1", 0.2}});
}

TEST(MemberWeightsTest, CapBindsUniformWeightsToo) {
  ExpectWeights(WeightsOf({{"a/1", 1}, {"b/1", 1}}, Weighting::kUniform, 0.1),
                {{"a/1", 0.5}, {"b/1", 0.5}});
}

TEST(MemberWeightsTest, HugeClaimsDoNotOverflow) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  ExpectWeights(WeightsOf({{"a/1", kMax}, {"a/2", kMax}, {"b/1", kMax}, {"c/1", kMax}},
                          Weighting::kExamples, 1),
                {{"a/1", 0.25}, {"a/2", 0.25}, {"b/1", 0.25}, {"c/1", 0.25}});
}

TEST(MemberWeightsTest, WeightsAreInRangeAndSumToOneForManyShapes) {
  uint64_t state = 1;
  for (int run = 0; run < 300; ++run) {
    Examples examples;
    const uint64_t workers = 1 + run % 23;
    for (uint64_t i = 0; i < workers; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      examples[WorkerId("m" + std::to_string(i % 9) + "/w" + std::to_string(i))] =
          1 + (state >> (20 + state % 40));
    }
    const double cap = 0.05 + 0.05 * (run % 20);
    ASSERT_OK_AND_ASSIGN(const Weights weights,
                         MemberWeights(examples, Weighting::kExamples, cap > 1 ? 1 : cap));
    double sum = 0;
    std::map<MemberId, double> members;
    for (const auto& [worker, weight] : weights) {
      EXPECT_GT(weight, 0);
      EXPECT_LE(weight, 1);
      sum += weight;
      members[MemberOf(worker)] += weight;
    }
    EXPECT_NEAR(sum, 1, 1e-14);
    const double cap_kept = std::max(cap, 1 / static_cast<double>(members.size()));
    for (const auto& [member, weight] : members) EXPECT_LE(weight, cap_kept + 1e-14) << run;
  }
}

TEST(MemberWeightsTest, NoUpdateIsRefused) {
  EXPECT_THAT(MemberWeights({}, Weighting::kExamples, 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no update")));
}

TEST(MemberWeightsTest, WorkerWithoutExamplesIsNamed) {
  for (const Weighting weighting : {Weighting::kExamples, Weighting::kUniform}) {
    EXPECT_THAT(MemberWeights({{WorkerId("a/1"), 5}, {WorkerId("b/1"), 0}}, weighting, 1),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("worker b/1 was trained on no examples")));
  }
}

TEST(MemberWeightsTest, CapOutOfRangeIsRefused) {
  for (const double cap : {0.0, -1.0, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(MemberWeights({{WorkerId("a/1"), 5}}, Weighting::kExamples, cap),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cap")));
  }
}

}  // namespace
}  // namespace entente::aggregation
