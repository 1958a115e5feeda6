// SPDX-License-Identifier: Apache-2.0
#include "common/base/drain_gate.h"

namespace entente {

bool DrainGate::Enter() {
  absl::MutexLock lock(&mu_);
  if (closed_) return false;
  ++inside_;
  return true;
}

void DrainGate::Leave() {
  absl::MutexLock lock(&mu_);
  --inside_;
  left_.SignalAll();
}

bool DrainGate::CloseAndWait(absl::Duration limit) {
  absl::MutexLock lock(&mu_);
  closed_ = true;
  const auto empty = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return inside_ == 0; };
  return left_.AwaitFor(&mu_, limit, empty);
}

}  // namespace entente
