// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_AGGREGATION_WEIGHTED_MEAN_H_
#define COORDINATOR_AGGREGATION_WEIGHTED_MEAN_H_

// The weighted mean, FedAvg's rule (McMahan et al. 2017, "Communication-Efficient Learning of Deep
// Networks from Decentralized Data", algorithm 1), with a sum that is exact and free of order.
//
// A contribution is weight x value as a whole number of 2^-F, rounded to nearest even; F = 40 for
// values up to 256. It depends on nothing but its own weight and value. Whole numbers modulo 2^64
// form a commutative group, so their sum is the same for every order and grouping: any order of
// arrival, any number of threads, sums of sums. Floating-point addition is not associative and
// gives another last digit each time (Demmel and Nguyen 2015, "Parallel Reproducible Summation").
//
// No sum overflows: F = 48 - log2(bound), so a contribution is at most 2^48 and 2^14 of them
// (limits::kUpdatesPerRoundMax) at most 2^62.

#include <cstdint>
#include <vector>

#include "coordinator/aggregation/aggregator.h"

namespace entente::aggregation {

class WeightedMean final : public Aggregator {
 public:
  // Values are at most `value_bound` in magnitude, 2^-10 to 2^20; a bound that is no power of two
  // is rounded up to one.
  explicit WeightedMean(double value_bound);

  void Start(size_t size) override;
  void Add(double weight, absl::Span<const float> values) override;
  void Finish(absl::Span<double> combined) const override;

  // F above: a unit of the sums is 2^-fraction_bits().
  int fraction_bits() const { return fraction_bits_; }

 private:
  const int fraction_bits_;
  std::vector<int64_t> sums_;
};

}  // namespace entente::aggregation

#endif  // COORDINATOR_AGGREGATION_WEIGHTED_MEAN_H_
