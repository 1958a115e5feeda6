// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/lease_book.h"

#include <algorithm>

namespace entente::engine {

absl::Time LeaseBook::NextExpiry() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [worker, expires_at] : expiries_) next = std::min(next, expires_at);
  return next;
}

std::vector<WorkerId> LeaseBook::TakeExpired(absl::Time now) {
  std::vector<WorkerId> expired;
  for (auto it = expiries_.begin(); it != expiries_.end();) {
    if (it->second <= now) {
      expired.push_back(it->first);
      it = expiries_.erase(it);
    } else {
      ++it;
    }
  }
  return expired;
}

}  // namespace entente::engine
