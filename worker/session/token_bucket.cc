// SPDX-License-Identifier: Apache-2.0
#include "worker/session/token_bucket.h"

#include <algorithm>

namespace entente::worker {

TokenBucket::TokenBucket(const Clock* clock, uint64_t bytes_per_second)
    : clock_(*clock),
      bytes_per_second_(static_cast<double>(bytes_per_second)),
      filled_at_(clock->Now()),
      tokens_(bytes_per_second_) {}

absl::Duration TokenBucket::Take(uint64_t bytes) {
  if (bytes_per_second_ == 0) return absl::ZeroDuration();
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  // A clock that was put back brings nothing; one that was put forward no more than a bucket.
  const double seconds = std::max(absl::ToDoubleSeconds(now - filled_at_), 0.0);
  tokens_ = std::min(tokens_ + seconds * bytes_per_second_, bytes_per_second_);
  filled_at_ = now;
  tokens_ -= static_cast<double>(bytes);
  return absl::Seconds(std::max(-tokens_, 0.0) / bytes_per_second_);
}

void TokenBucket::WaitFor(uint64_t bytes, const CancelToken& cancel) {
  const absl::Duration wait = Take(bytes);
  if (wait > absl::ZeroDuration()) cancel.WaitFor(wait);
}

uint64_t TokenBucket::StepBytes(uint64_t bytes_max) const {
  if (bytes_per_second_ == 0) return bytes_max;
  return std::clamp<uint64_t>(static_cast<uint64_t>(bytes_per_second_), 1, bytes_max);
}

}  // namespace entente::worker
