// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/weighted_mean.h"

#include <bit>
#include <cmath>

#include "common/base/check.h"

namespace entente::aggregation {
namespace {

constexpr int kContributionBits = 48;

int FractionBits(double value_bound) {
  ENTENTE_CHECK(value_bound >= 0x1p-10 && value_bound <= 0x1p20);
  int exponent = 0;  // value_bound is in [2^(exponent - 1), 2^exponent).
  const bool is_power_of_two = std::frexp(value_bound, &exponent) == 0.5;
  return kContributionBits - (is_power_of_two ? exponent - 1 : exponent);
}

// Adding this leaves no room for a fraction, so the sum is rounded to a whole number, to nearest
// even as every sum is, and that number stands in the low bits. Holds for magnitudes up to 2^51.
// Unlike llrint it compiles to vector instructions that every x86-64 and ARM has.
constexpr double kRounder = 0x1.8p52;
constexpr int64_t kRounderBits = std::bit_cast<int64_t>(kRounder);

}  // namespace

WeightedMean::WeightedMean(double value_bound) : fraction_bits_(FractionBits(value_bound)) {}

void WeightedMean::Start(size_t size) { sums_.assign(size, 0); }

void WeightedMean::Add(double weight, absl::Span<const float> values) {
  ENTENTE_CHECK(values.size() == sums_.size());
  ENTENTE_CHECK(weight >= 0 && weight <= 1);
  const double scale = std::ldexp(weight, fraction_bits_);  // Exact.
  int64_t* const sums = sums_.data();
  for (size_t i = 0; i < values.size(); ++i) {
    const double contribution = scale * double{values[i]};
    sums[i] += std::bit_cast<int64_t>(contribution + kRounder) - kRounderBits;
  }
}

void WeightedMean::Finish(absl::Span<double> combined) const {
  ENTENTE_CHECK(combined.size() == sums_.size());
  const double unit = std::ldexp(1.0, -fraction_bits_);
  for (size_t i = 0; i < combined.size(); ++i) combined[i] = static_cast<double>(sums_[i]) * unit;
}

}  // namespace entente::aggregation
