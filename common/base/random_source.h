// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_RANDOM_SOURCE_H_
#define COMMON_BASE_RANDOM_SOURCE_H_

// Where chance comes from: handed in, so that a run can be repeated from its seed.

#include <cstdint>

#include "absl/strings/string_view.h"

namespace entente {

// Thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;

  // 64 uniformly distributed bits.
  virtual uint64_t Next() = 0;
};

// The kernel's getrandom(2). For names, jitter and tokens.
class SystemRandomSource final : public RandomSource {
 public:
  uint64_t Next() override;
};

// One step of SplitMix64 (Steele, Lea and Flood 2014): a well mixed function of `x`.
uint64_t SplitMix64(uint64_t x);

// Number `index` of the sequence that SplitMix64 makes from `seed`: one that can be had without
// those before it.
uint64_t SplitMix64At(uint64_t seed, uint64_t index);

// A 64-bit seed for `purpose`, derived from `seed` alone: equal on every machine and build.
uint64_t DeriveSeed(uint64_t seed, absl::string_view purpose);

}  // namespace entente

#endif  // COMMON_BASE_RANDOM_SOURCE_H_
