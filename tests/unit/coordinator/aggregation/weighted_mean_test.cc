// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/weighted_mean.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace entente::aggregation {
namespace {

struct Update {
  double weight = 0;
  std::vector<float> values;
};

// Updates of every magnitude up to `bound`, with weights that sum to about 1.
std::vector<Update> RandomUpdates(size_t count, size_t size, double bound, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<Update> updates(count);
  double total = 0;
  for (Update& update : updates) {
    update.weight = uniform(random) + 1e-6;
    total += update.weight;
    for (size_t i = 0; i < size; ++i) {
      const double magnitude = bound * std::exp2(-40 * uniform(random));
      update.values.push_back(static_cast<float>(random() % 2 == 0 ? magnitude : -magnitude));
    }
  }
  for (Update& update : updates) update.weight /= total;
  return updates;
}

std::vector<double> Mean(const std::vector<Update>& updates, double bound) {
  WeightedMean mean(bound);
  const size_t size = updates.front().values.size();
  mean.Start(size);
  for (const Update& update : updates) mean.Add(update.weight, update.values);
  std::vector<double> combined(size);
  mean.Finish(absl::MakeSpan(combined));
  return combined;
}

// The definition, one element at a time: to a whole number by the C library, summed in 128 bits.
double SlowMean(const std::vector<Update>& updates, size_t i, int fraction_bits) {
  __int128 sum = 0;
  for (const Update& update : updates) {
    sum += std::llrint(update.weight * std::exp2(fraction_bits) * double{update.values[i]});
  }
  return static_cast<double>(sum) * std::exp2(-fraction_bits);
}

TEST(WeightedMeanTest, IsTheSlowObviousOneBitForBit) {
  for (const double bound : {0x1p-10, 1.0, 256.0, 0x1p20}) {
    const std::vector<Update> updates = RandomUpdates(37, 500, bound, 1);
    const int fraction_bits = WeightedMean(bound).fraction_bits();

    const std::vector<double> combined = Mean(updates, bound);

    for (size_t i = 0; i < combined.size(); ++i) {
      EXPECT_EQ(combined[i], SlowMean(updates, i, fraction_bits)) << bound << " " << i;
    }
  }
}

TEST(WeightedMeanTest, IsTheTrueMeanToWithinTheRoundingOfEachContribution) {
  const std::vector<Update> updates = RandomUpdates(100, 500, 256, 2);

  const std::vector<double> combined = Mean(updates, 256);

  for (size_t i = 0; i < combined.size(); ++i) {
    long double truth = 0;
    for (const Update& update : updates) {
      truth += static_cast<long double>(update.weight) * update.values[i];
    }
    EXPECT_LE(std::fabs(static_cast<double>(combined[i] - truth)), 100 * 0x1.2p-41) << i;
  }
}

TEST(WeightedMeanTest, OrderDoesNotMatter) {
  std::vector<Update> updates = RandomUpdates(50, 300, 256, 3);
  const std::vector<double> expected = Mean(updates, 256);
  std::mt19937 random(4);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(updates.begin(), updates.end(), random);
    EXPECT_EQ(Mean(updates, 256), expected);
  }
}

TEST(WeightedMeanTest, BlockSizeDoesNotMatter) {
  const std::vector<Update> updates = RandomUpdates(9, 103, 256, 5);
  const std::vector<double> expected = Mean(updates, 256);
  for (size_t i = 0; i < 103; ++i) {
    std::vector<Update> single;
    for (const Update& update : updates) single.push_back({update.weight, {update.values[i]}});
    EXPECT_EQ(Mean(single, 256)[0], expected[i]);
  }
}

TEST(WeightedMeanTest, TiesGoToEven) {
  constexpr float kHalf = 0x1p-41F;  // Half a unit at 40 bits.
  EXPECT_EQ(Mean({{1.0, {kHalf, 3 * kHalf, 5 * kHalf, -kHalf, -3 * kHalf}}}, 256),
            (std::vector<double>{0, 0x1p-39, 0x1p-39, 0, -0x1p-39}));
}

TEST(WeightedMeanTest, SixteenThousandLargestUpdatesDoNotOverflow) {
  std::vector<Update> updates(1 << 14, Update{1.0, {256.0F, -256.0F}});
  EXPECT_EQ(Mean(updates, 256), (std::vector<double>{0x1p22, -0x1p22}));
}

TEST(WeightedMeanTest, OneUpdateOfWeightOneComesOutAsItIs) {
  EXPECT_EQ(Mean({{1.0, {0.5F, -255.75F, 0.0F, 0x1p-40F}}}, 256),
            (std::vector<double>{0.5, -255.75, 0.0, 0x1p-40}));
}

TEST(WeightedMeanTest, StartForgetsTheLastBlock) {
  WeightedMean mean(256);
  mean.Start(2);
  mean.Add(1, {5.0F, 6.0F});
  mean.Start(1);
  mean.Add(1, {7.0F});
  std::vector<double> combined(1);
  mean.Finish(absl::MakeSpan(combined));
  EXPECT_EQ(combined[0], 7.0);
}

TEST(WeightedMeanTest, BoundMovesTheBinaryPoint) {
  EXPECT_EQ(WeightedMean(256).fraction_bits(), 40);
  EXPECT_EQ(WeightedMean(1).fraction_bits(), 48);
  EXPECT_EQ(WeightedMean(100).fraction_bits(), 41) << "rounded up to 128";
  EXPECT_EQ(WeightedMean(0x1p20).fraction_bits(), 28);
  EXPECT_EQ(WeightedMean(0x1p-10).fraction_bits(), 58);
}

}  // namespace
}  // namespace entente::aggregation
