// SPDX-License-Identifier: Apache-2.0
#include "common/base/random_source.h"

#include <sys/random.h>

#include "common/base/check.h"

namespace entente {
namespace {

constexpr uint64_t kSplitMixStep = 0x9e3779b97f4a7c15U;

}  // namespace

uint64_t SystemRandomSource::Next() {
  uint64_t bits = 0;
  // Up to 256 bytes never come short once the kernel's pool is ready; see getrandom(2).
  ENTENTE_CHECK(getrandom(&bits, sizeof(bits), 0) == sizeof(bits));
  return bits;
}

uint64_t SplitMix64(uint64_t x) {
  x += kSplitMixStep;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

uint64_t SplitMix64At(uint64_t seed, uint64_t index) {
  return SplitMix64(seed + index * kSplitMixStep);
}

uint64_t DeriveSeed(uint64_t seed, absl::string_view purpose) {
  uint64_t state = SplitMix64(seed);
  for (const char c : purpose) state = SplitMix64(state ^ static_cast<unsigned char>(c));
  return state;
}

}  // namespace entente
