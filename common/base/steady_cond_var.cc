// SPDX-License-Identifier: Apache-2.0
#include "common/base/steady_cond_var.h"

#include <algorithm>
#include <chrono>

namespace entente {
namespace {

// So far ahead that nobody waits for it, and the clock's arithmetic does not overflow.
constexpr absl::Duration kLongestWait = absl::Hours(24 * 365 * 100);

// What the standard library lets go and takes again. Its caller has the mutex before and after.
struct LockableMutex {
  absl::Mutex& mu;
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mu.Unlock(); }
};

std::chrono::steady_clock::time_point SteadyTimeIn(absl::Duration limit) {
  return std::chrono::steady_clock::now() +
         absl::ToChronoNanoseconds(std::clamp(limit, absl::ZeroDuration(), kLongestWait));
}

}  // namespace

void SteadyCondVar::Wait(absl::Mutex* mu) {
  LockableMutex lockable{*mu};
  changed_.wait(lockable);
}

void SteadyCondVar::WaitFor(absl::Mutex* mu, absl::Duration limit) {
  LockableMutex lockable{*mu};
  changed_.wait_until(lockable, SteadyTimeIn(limit));
}

bool SteadyCondVar::AwaitFor(absl::Mutex* mu, absl::Duration limit,
                             absl::FunctionRef<bool()> condition) {
  LockableMutex lockable{*mu};
  return changed_.wait_until(lockable, SteadyTimeIn(limit), condition);
}

}  // namespace entente
