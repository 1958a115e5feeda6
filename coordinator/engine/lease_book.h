// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_LEASE_BOOK_H_
#define COORDINATOR_ENGINE_LEASE_BOOK_H_

// Until when each worker's silence is bearable. A task lives as long as its worker shows progress
// inside its lease, so a deadline need not guess how long training takes.

#include <map>
#include <vector>

#include "absl/time/time.h"
#include "common/base/strong_id.h"

namespace entente::engine {

// Not thread-safe.
class LeaseBook {
 public:
  // Starts or prolongs the worker's lease.
  void Renew(const WorkerId& worker, absl::Time expires_at) { expiries_[worker] = expires_at; }
  void End(const WorkerId& worker) { expiries_.erase(worker); }
  void EndAll() { expiries_.clear(); }
  bool Holds(const WorkerId& worker) const { return expiries_.count(worker) > 0; }

  // When the next lease runs out; InfiniteFuture if there is none.
  absl::Time NextExpiry() const;

  // Ends and returns the leases that have run out by `now`.
  std::vector<WorkerId> TakeExpired(absl::Time now);

 private:
  std::map<WorkerId, absl::Time> expiries_;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_LEASE_BOOK_H_
