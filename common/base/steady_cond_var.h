// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_STEADY_COND_VAR_H_
#define COMMON_BASE_STEADY_COND_VAR_H_

// What absl::CondVar and absl::Mutex::AwaitWithTimeout do, for a time that nobody can set. Theirs
// is wall time: a wait of a second takes a day more if the clock is set back by a day meanwhile.

#include <condition_variable>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace entente {

// Thread-safe. All who wait at a time must have the same mutex.
class SteadyCondVar {
 public:
  // Lets go of `mu`, waits until somebody signals, and takes it again. May return for no reason.
  void Wait(absl::Mutex* mu) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // The same for at most `limit`. A negative `limit` is none, an infinite one has no end.
  void WaitFor(absl::Mutex* mu, absl::Duration limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // Waits until `condition`, at most `limit`, and returns its last answer. It is asked under `mu`,
  // first of all and whenever somebody has signalled.
  bool AwaitFor(absl::Mutex* mu, absl::Duration limit, absl::FunctionRef<bool()> condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // Wakes all who wait. Whoever changes what they wait for calls it, with the mutex or without.
  void SignalAll() { changed_.notify_all(); }

 private:
  std::condition_variable_any changed_;
};

}  // namespace entente

#endif  // COMMON_BASE_STEADY_COND_VAR_H_
