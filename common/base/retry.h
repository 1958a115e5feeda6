// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_RETRY_H_
#define COMMON_BASE_RETRY_H_

// How long to wait before the next try: exponential, with equal jitter (AWS Architecture Blog 2015,
// "Exponential Backoff And Jitter"), so that workers do not come back all at once.

#include "absl/time/time.h"
#include "common/base/random_source.h"

namespace entente {

// Not thread-safe.
class Backoff {
 public:
  // `random` is borrowed.
  Backoff(absl::Duration first, absl::Duration max, RandomSource* random);

  // The time to wait now: uniform in [ceiling / 2, ceiling], the ceiling doubling with each call
  // from `first` up to `max`.
  absl::Duration Next();

  // Call after a success: the next wait is short again.
  void Reset();

 private:
  const absl::Duration first_;
  const absl::Duration max_;
  RandomSource& random_;
  absl::Duration ceiling_;
};

}  // namespace entente

#endif  // COMMON_BASE_RETRY_H_
