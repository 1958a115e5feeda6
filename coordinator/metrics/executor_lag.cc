// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics/executor_lag.h"

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entente::metrics {

struct ExecutorLag::Probe {
  absl::Mutex mu;
  bool is_posted ABSL_GUARDED_BY(mu) = false;
  absl::Time posted_at ABSL_GUARDED_BY(mu);
  absl::Duration last ABSL_GUARDED_BY(mu);
};

ExecutorLag::ExecutorLag(Executor* executor, const Clock* clock)
    : executor_(*executor), clock_(*clock), probe_(std::make_shared<Probe>()) {}

absl::Duration ExecutorLag::Measure() {
  const absl::Time now = clock_.Now();
  {
    absl::MutexLock lock(&probe_->mu);
    if (probe_->is_posted) return now - probe_->posted_at;
    probe_->is_posted = true;
    probe_->posted_at = now;
  }
  executor_.Post([probe = probe_, &clock = clock_] {
    const absl::Time ran_at = clock.Now();
    absl::MutexLock lock(&probe->mu);
    probe->is_posted = false;
    probe->last = ran_at - probe->posted_at;
  });
  absl::MutexLock lock(&probe_->mu);
  return probe_->last;
}

}  // namespace entente::metrics
