// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_CHANCE_H_
#define SIM_CHANCE_H_

#include <cstdint>

#include "absl/time/time.h"
#include "common/base/random_source.h"

namespace entente::sim {

// All chance of a simulated run, from its seed: the same on every machine. One thread uses it.
class Chance final : public RandomSource {
 public:
  explicit Chance(uint64_t seed) : seed_(seed) {}

  uint64_t Next() override { return SplitMix64At(seed_, index_++); }

  // Uniform in [0, count); `count` is not 0.
  uint64_t Below(uint64_t count) { return Next() % count; }

  // True with this probability.
  bool Happens(double probability) {
    if (probability <= 0) return false;
    return static_cast<double>(Next() >> 11) * 0x1p-53 < probability;
  }

  // Uniform in [least, most], to the microsecond.
  absl::Duration Between(absl::Duration least, absl::Duration most) {
    const int64_t range = absl::ToInt64Microseconds(most - least);
    return least + absl::Microseconds(Below(static_cast<uint64_t>(range) + 1));
  }

 private:
  const uint64_t seed_;
  uint64_t index_ = 0;
};

}  // namespace entente::sim

#endif  // SIM_CHANCE_H_
