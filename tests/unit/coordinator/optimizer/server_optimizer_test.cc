// SPDX-License-Identifier: Apache-2.0
#include "coordinator/optimizer/server_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/unit/coordinator/optimizer/step_sequence.h"

namespace entente::optimizer {
namespace {

constexpr OptimizerName kAll[] = {OptimizerName::kSgd,      OptimizerName::kMomentum,
                                  OptimizerName::kNesterov, OptimizerName::kAdagrad,
                                  OptimizerName::kAdam,     OptimizerName::kYogi};

TEST(ServerOptimizerTest, SettingsReachEachFormula) {
  const auto first_step = [](OptimizerName name) {
    const auto optimizer = MakeServerOptimizer(
        {.name = name, .learning_rate = 2, .momentum = 0.5, .beta1 = 0.5, .beta2 = 0.75, .tau = 1});
    return StepSequence(*optimizer, 0, {4}).front();
  };
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kSgd), 8);
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kMomentum), 8);
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kNesterov), 12);
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kAdagrad), 4.0 / 5);
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kAdam), 4.0 / 3);
  EXPECT_DOUBLE_EQ(first_step(OptimizerName::kYogi), 4.0 / 3);
}

// What lets a model be stepped block by block.
TEST(ServerOptimizerTest, ElementsDoNotSeeEachOther) {
  for (const OptimizerName name : kAll) {
    const auto optimizer = MakeServerOptimizer({.name = name, .learning_rate = 0.3});
    const size_t states = optimizer->StateNames().size();
    std::vector<double> model(7);
    std::vector<std::vector<double>> state(states, std::vector<double>(7, 0.0));
    std::vector<absl::Span<double>> spans;
    for (std::vector<double>& values : state) spans.push_back(absl::MakeSpan(values));
    std::vector<std::vector<double>> alone(7);
    for (int round = 0; round < 4; ++round) {
      std::vector<double> update(7);
      for (int i = 0; i < 7; ++i) update[i] = std::sin(10 * round + i);
      optimizer->Step(update, absl::MakeSpan(model), spans);
      for (int i = 0; i < 7; ++i) alone[i].push_back(update[i]);
    }
    for (int i = 0; i < 7; ++i) {
      EXPECT_EQ(model[i], StepSequence(*optimizer, 0, alone[i]).back()) << static_cast<int>(name);
    }
  }
}

TEST(ServerOptimizerTest, ConstantUpdateMovesTheModelItsWay) {
  for (const OptimizerName name : kAll) {
    const auto positions =
        StepSequence(*MakeServerOptimizer({.name = name, .learning_rate = 0.1}), 0, {1, 1, 1, 1});
    for (size_t i = 1; i < positions.size(); ++i) EXPECT_GT(positions[i], positions[i - 1]);
    EXPECT_GT(positions[0], 0);
  }
}

}  // namespace
}  // namespace entente::optimizer
