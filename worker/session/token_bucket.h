// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TOKEN_BUCKET_H_
#define WORKER_SESSION_TOKEN_BUCKET_H_

// Paces bytes to a rate, as a token bucket that may go into debt: whoever takes bytes is told how
// long to wait for them. So a chunk larger than the bucket passes too, and waits its time.

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "worker/trainer_host/cancel_token.h"

namespace entente::worker {

// Thread-safe: all who take share the rate.
class TokenBucket {
 public:
  // `clock` is borrowed, and best a steady one. 0 bytes a second: no limit. The bucket is full at
  // first, and holds what comes in in a second.
  TokenBucket(const Clock* clock, uint64_t bytes_per_second);

  // Takes `bytes` and says how long to wait before they may be moved.
  absl::Duration Take(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes `bytes` and waits for them, or until `cancel` is cancelled.
  void WaitFor(uint64_t bytes, const CancelToken& cancel) ABSL_LOCKS_EXCLUDED(mu_);

  // The most to take at a time, at least 1: `bytes_max`, or a second's worth if that is less, so
  // that the other side hears something each second.
  uint64_t StepBytes(uint64_t bytes_max) const;

 private:
  const Clock& clock_;
  const double bytes_per_second_;

  absl::Mutex mu_;
  absl::Time filled_at_ ABSL_GUARDED_BY(mu_);
  double tokens_ ABSL_GUARDED_BY(mu_);  // Negative: debt.
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TOKEN_BUCKET_H_
