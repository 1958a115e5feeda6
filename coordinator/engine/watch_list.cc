// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/watch_list.h"

#include <utility>
#include <vector>

namespace entente::engine {

uint64_t WatchList::Add(std::function<void()> callback) {
  absl::MutexLock lock(&mu_);
  callbacks_.emplace(next_id_, std::move(callback));
  return next_id_++;
}

void WatchList::Remove(uint64_t id) {
  absl::MutexLock lock(&mu_);
  callbacks_.erase(id);
}

void WatchList::NotifyAll() {
  std::vector<std::function<void()>> callbacks;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, callback] : callbacks_) callbacks.push_back(callback);
  }
  for (const std::function<void()>& callback : callbacks) callback();
}

}  // namespace entente::engine
