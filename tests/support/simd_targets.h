// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_SIMD_TARGETS_H_
#define TESTS_SUPPORT_SIMD_TARGETS_H_

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <functional>

namespace entente {

// Runs `test` once for every kind of vectors that this machine has, with no other to choose.
inline void ForEveryTarget(const std::function<void()>& test) {
  const int64_t supported = hwy::SupportedTargets() & HWY_TARGETS;
  for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace entente

#endif  // TESTS_SUPPORT_SIMD_TARGETS_H_
