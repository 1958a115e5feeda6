// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_WATCH_LIST_H_
#define COORDINATOR_ENGINE_WATCH_LIST_H_

#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entente::engine {

// Who wants to be called when something changes. Thread-safe.
class WatchList {
 public:
  // `callback` must not block. Returns the name to remove it by.
  uint64_t Add(std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mu_);

  // A call in flight may still end after this has returned.
  void Remove(uint64_t id) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls everybody, on this thread, with no lock held.
  void NotifyAll() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  std::map<uint64_t, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_WATCH_LIST_H_
