// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/weighted_mean.h"

#include <cmath>

#include "common/base/check.h"
#include "coordinator/aggregation/mean_kernels.h"

namespace entente::aggregation {
namespace {

constexpr int kContributionBits = 48;

int FractionBits(double value_bound) {
  ENTENTE_CHECK(value_bound >= 0x1p-10 && value_bound <= 0x1p20);
  int exponent = 0;  // value_bound is in [2^(exponent - 1), 2^exponent).
  const bool is_power_of_two = std::frexp(value_bound, &exponent) == 0.5;
  return kContributionBits - (is_power_of_two ? exponent - 1 : exponent);
}

}  // namespace

WeightedMean::WeightedMean(double value_bound) : fraction_bits_(FractionBits(value_bound)) {}

void WeightedMean::Start(size_t size) { sums_.assign(size, 0); }

void WeightedMean::Add(double weight, absl::Span<const float> values) {
  ENTENTE_CHECK(values.size() == sums_.size());
  ENTENTE_CHECK(weight >= 0 && weight <= 1);
  const double scale = std::ldexp(weight, fraction_bits_);  // Exact.
  AddContributions(scale, values.data(), values.size(), sums_.data());
}

void WeightedMean::Finish(absl::Span<double> combined) const {
  ENTENTE_CHECK(combined.size() == sums_.size());
  const double unit = std::ldexp(1.0, -fraction_bits_);
  ScaleSums(sums_.data(), unit, combined.size(), combined.data());
}

}  // namespace entente::aggregation
