// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/portable_random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace entente::trainer {
namespace {

TEST(PortableRandomTest, TheSequenceIsSplitMix64s) {
  PortableRandom random(1234567);

  // The reference sequence of Vigna's splitmix64.c for this seed.
  EXPECT_EQ(random.Next(), 6457827717110365317U);
  EXPECT_EQ(random.Next(), 3203168211198807973U);
  EXPECT_EQ(random.Next(), 9817491932198370423U);
}

TEST(PortableRandomTest, LogarithmAndExponentialAgreeWithTheLibrary) {
  PortableRandom random(1);
  for (int i = 0; i < 10'000; ++i) {
    const double x = std::ldexp(random.Unit(), static_cast<int>(random.Below(200)) - 100);
    EXPECT_NEAR(PortableLog(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x))));
    const double y = 40 * random.Unit() - 20;
    EXPECT_NEAR(PortableExp(y), std::exp(y), 1e-14 * std::exp(y));
  }
  EXPECT_EQ(PortableExp(-1000), 0);
}

TEST(PortableRandomTest, BelowIsEven) {
  PortableRandom random(2);
  std::vector<int> counts(5);

  for (int i = 0; i < 50'000; ++i) ++counts[random.Below(5)];

  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
}

TEST(PortableRandomTest, GammaHasItsMeanAndVariance) {
  for (const double shape : {0.3, 0.5, 1.0, 4.0}) {
    PortableRandom random(3);
    constexpr int kDraws = 100'000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = random.Gamma(shape);
      sum += x;
      squares += x * x;
    }
    const double mean = sum / kDraws;
    EXPECT_NEAR(mean, shape, 0.03 * shape + 0.005);
    EXPECT_NEAR(squares / kDraws - mean * mean, shape, 0.06 * shape + 0.01);
  }
}

TEST(PortableRandomTest, DirichletSharesAddUpToOne) {
  PortableRandom random(4);
  for (const double alpha : {0.01, 0.5, 100.0}) {
    const std::vector<double> shares = random.Dirichlet(alpha, 7);

    EXPECT_EQ(shares.size(), 7U);
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
  }
}

TEST(PortableRandomTest, ShuffleKeepsEveryElement) {
  PortableRandom random(5);
  std::vector<int> elements(100);
  std::iota(elements.begin(), elements.end(), 0);
  const std::vector<int> before = elements;

  random.Shuffle(elements);

  EXPECT_NE(elements, before);
  std::sort(elements.begin(), elements.end());
  EXPECT_EQ(elements, before);
}

}  // namespace
}  // namespace entente::trainer
