// SPDX-License-Identifier: Apache-2.0
#include "coordinator/aggregation/mean_kernels.h"

#include <bit>

// Highway compiles this file once an instruction set: foreach_target.h includes it again and again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "coordinator/aggregation/mean_kernels.cc"
#include "hwy/foreach_target.h"  // Before highway.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace entente::aggregation::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Adding this leaves no room for a fraction, so the sum is rounded to a whole number, to nearest
// even as every sum is, and that number stands in the low bits. Holds for magnitudes up to 2^51.
// Unlike llrint it is two instructions that every processor has.
constexpr double kRounder = 0x1.8p52;
constexpr int64_t kRounderBits = std::bit_cast<int64_t>(kRounder);

void AddContributions(double scale, const float* values, size_t size, int64_t* sums) {
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, decltype(doubles)> floats;
  const hn::RebindToSigned<decltype(doubles)> integers;
  const size_t lanes = hn::Lanes(doubles);
  const auto scales = hn::Set(doubles, scale);
  const auto rounder = hn::Set(doubles, kRounder);
  const auto rounder_bits = hn::Set(integers, kRounderBits);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto contribution =
        hn::Mul(scales, hn::PromoteTo(doubles, hn::LoadU(floats, values + i)));
    const auto whole = hn::Sub(hn::BitCast(integers, hn::Add(contribution, rounder)), rounder_bits);
    hn::StoreU(hn::Add(hn::LoadU(integers, sums + i), whole), integers, sums + i);
  }
  for (; i < size; ++i) {
    const double contribution = scale * double{values[i]};
    sums[i] += std::bit_cast<int64_t>(contribution + kRounder) - kRounderBits;
  }
}

// ConvertTo rounds to nearest even, as static_cast does.
void ScaleSums(const int64_t* sums, double unit, size_t size, double* combined) {
  const hn::ScalableTag<double> doubles;
  const hn::RebindToSigned<decltype(doubles)> integers;
  const size_t lanes = hn::Lanes(doubles);
  const auto units = hn::Set(doubles, unit);
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(hn::Mul(hn::ConvertTo(doubles, hn::LoadU(integers, sums + i)), units), doubles,
               combined + i);
  }
  for (; i < size; ++i) combined[i] = static_cast<double>(sums[i]) * unit;
}

}  // namespace entente::aggregation::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace entente::aggregation {

HWY_EXPORT(AddContributions);
HWY_EXPORT(ScaleSums);

void AddContributions(double scale, const float* values, size_t size, int64_t* sums) {
  HWY_DYNAMIC_DISPATCH(AddContributions)(scale, values, size, sums);
}

void ScaleSums(const int64_t* sums, double unit, size_t size, double* combined) {
  HWY_DYNAMIC_DISPATCH(ScaleSums)(sums, unit, size, combined);
}

}  // namespace entente::aggregation
#endif
