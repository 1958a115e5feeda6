// SPDX-License-Identifier: Apache-2.0
#include "sim/scheduler.h"

#include <algorithm>
#include <utility>

namespace entente::sim {

Scheduler::Scheduler(uint64_t seed)
    : chance_(DeriveSeed(seed, "events")), now_(absl::FromUnixSeconds(1'700'000'000)) {}

Scheduler::EventKey Scheduler::At(absl::Time when, std::function<void()> event) {
  const EventKey key{std::max(when, now_), chance_.Next(), next_number_++};
  events_.emplace(key, std::move(event));
  return key;
}

Scheduler::EventKey Scheduler::After(absl::Duration pause, std::function<void()> event) {
  return At(now_ + pause, std::move(event));
}

bool Scheduler::RunNext() {
  if (events_.empty()) return false;
  const auto first = events_.begin();
  now_ = std::get<0>(first->first);
  const std::function<void()> event = std::move(first->second);
  events_.erase(first);
  ++events_run_;
  event();
  return true;
}

}  // namespace entente::sim
