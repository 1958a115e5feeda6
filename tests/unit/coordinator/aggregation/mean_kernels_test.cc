// SPDX-License-Identifier: Apache-2.0
// Every kernel on every kind of vectors that this machine has, against the formula in the header.
#include "coordinator/aggregation/mean_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/base/random_source.h"
#include "tests/support/simd_targets.h"

namespace entente::aggregation {
namespace {

// Of every magnitude up to 256, ties of the rounding among them.
std::vector<float> Values(size_t size) {
  std::vector<float> values;
  for (size_t i = 0; i < size; ++i) {
    const uint64_t random = SplitMix64At(7, i);
    const double magnitude = 256 * std::exp2(-static_cast<double>(random % 48));
    const double value =
        random % 3 == 0 ? magnitude * 0.5 : magnitude * 0x1p-64 * static_cast<double>(random);
    values.push_back(static_cast<float>(random >> 63 != 0 ? value : -value));
  }
  return values;
}

TEST(MeanKernelsTest, EveryTargetAddsWhatTheFormulaSays) {
  ForEveryTarget([] {
    for (const size_t size : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1000}) {
      const std::vector<float> values = Values(size);
      for (const double weight : {1.0, 0.5, 1.0 / 3.0, 1e-9}) {
        const double scale = std::ldexp(weight, 40);
        std::vector<int64_t> sums(size, 12345);
        AddContributions(scale, values.data(), size, sums.data());
        for (size_t i = 0; i < size; ++i) {
          // nearbyint rounds to nearest even, as the process was started.
          const double rounded = std::nearbyint(scale * double{values[i]});
          ASSERT_EQ(sums[i], 12345 + static_cast<int64_t>(rounded)) << i << " of " << size;
        }
      }
    }
  });
}

TEST(MeanKernelsTest, EveryTargetScalesLikeAPlainConversion) {
  ForEveryTarget([] {
    for (const size_t size : {0, 1, 2, 3, 7, 8, 9, 500}) {
      std::vector<int64_t> sums;
      for (size_t i = 0; i < size; ++i) {
        sums.push_back(static_cast<int64_t>(SplitMix64At(3, i)) >> (i % 60 + 2));
      }
      std::vector<double> combined(size);
      ScaleSums(sums.data(), 0x1p-40, size, combined.data());
      for (size_t i = 0; i < size; ++i) {
        ASSERT_EQ(combined[i], static_cast<double>(sums[i]) * 0x1p-40) << i << " of " << size;
      }
    }
  });
}

}  // namespace
}  // namespace entente::aggregation
