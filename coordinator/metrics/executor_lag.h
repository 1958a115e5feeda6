// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_METRICS_EXECUTOR_LAG_H_
#define COORDINATOR_METRICS_EXECUTOR_LAG_H_

#include <memory>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"

namespace entente::metrics {

// How long work waits for a thread of a pool, found out by posting some. Thread-safe.
class ExecutorLag {
 public:
  // Both are borrowed.
  ExecutorLag(Executor* executor, const Clock* clock);

  // How long the last piece of work waited, or has waited so far; posts the next piece. Never
  // waits itself.
  absl::Duration Measure();

 private:
  struct Probe;

  Executor& executor_;
  const Clock& clock_;
  // Shared with the piece of work on the executor, which may outlive this.
  const std::shared_ptr<Probe> probe_;
};

}  // namespace entente::metrics

#endif  // COORDINATOR_METRICS_EXECUTOR_LAG_H_
