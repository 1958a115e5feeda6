// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/open_watches.h"

#include <utility>

namespace entente::service {

uint64_t OpenWatches::Add(End end) {
  uint64_t id = 0;
  absl::Status why;
  {
    absl::MutexLock lock(&mu_);
    id = next_id_++;
    why = why_;
    if (why.ok()) ends_.emplace(id, std::move(end));
  }
  if (!why.ok()) end(why);
  return id;
}

void OpenWatches::Remove(uint64_t id) {
  absl::MutexLock lock(&mu_);
  ends_.erase(id);
}

void OpenWatches::EndAll(const absl::Status& why) {
  std::map<uint64_t, End> ends;
  {
    absl::MutexLock lock(&mu_);
    why_ = why;
    ends.swap(ends_);
  }
  for (const auto& [id, end] : ends) end(why);
}

}  // namespace entente::service
