// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_AGGREGATION_MEAN_KERNELS_H_
#define COORDINATOR_AGGREGATION_MEAN_KERNELS_H_

// The inner loops of weighted_mean.h with the widest vectors that the processor has (Highway,
// chosen at run time). Every instruction set gives the same bits: each lane does exactly what the
// scalar formula says, and multiply-adds are not fused.

#include <cstddef>
#include <cstdint>

namespace entente::aggregation {

// sums[i] += round_half_even(scale * values[i]); |scale * values[i]| at most 2^51.
void AddContributions(double scale, const float* values, size_t size, int64_t* sums);

// combined[i] = sums[i] * unit, the sum rounded to a double first.
void ScaleSums(const int64_t* sums, double unit, size_t size, double* combined);

}  // namespace entente::aggregation

#endif  // COORDINATOR_AGGREGATION_MEAN_KERNELS_H_
