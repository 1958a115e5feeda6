// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_SIMD_TARGETS_H_
#define TESTS_SUPPORT_SIMD_TARGETS_H_

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <functional>

namespace entente {

// Runs `test` with this kind of vectors and no other to choose; false, and it is not run, if this
// machine has none such or the kernels are not made for it.
inline bool OnTarget(int64_t target, const std::function<void()>& test) {
  if ((hwy::SupportedTargets() & HWY_TARGETS & target) == 0) return false;
  SCOPED_TRACE(hwy::TargetName(target));
  hwy::SetSupportedTargetsForTest(target);
  test();
  hwy::SetSupportedTargetsForTest(0);
  return true;
}

// Runs `test` once for every kind of vectors that this machine has, with no other to choose.
inline void ForEveryTarget(const std::function<void()>& test) {
  const int64_t supported = hwy::SupportedTargets() & HWY_TARGETS;
  for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
    OnTarget(rest & -rest, test);
  }
}

}  // namespace entente

#endif  // TESTS_SUPPORT_SIMD_TARGETS_H_
