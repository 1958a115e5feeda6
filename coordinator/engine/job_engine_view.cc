// SPDX-License-Identifier: Apache-2.0
// What others see of a job: snapshots, and calls when they change.
#include <algorithm>
#include <utility>

#include "coordinator/engine/job_engine.h"

namespace entente::engine {

JobView JobEngine::View() const {
  absl::MutexLock lock(&mu_);
  return JobView{.description = description_,
                 .state = state_,
                 .progress = progress_,
                 .evaluation = evaluation_,
                 .bytes_up = bytes_up_,
                 .bytes_down = bytes_down_};
}

std::vector<std::shared_ptr<const rounds::RoundState>> JobEngine::Rounds() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<const rounds::RoundState>> rounds = ended_rounds_;
  // An aliasing pointer: the round lives as long as the state it is part of.
  if (!state_->HasEnded()) rounds.emplace_back(state_, &state_->round);
  return rounds;
}

std::shared_ptr<const rounds::RoundState> JobEngine::EndedAttempt(uint32_t round_index,
                                                                  uint32_t attempt) const {
  const std::pair wanted(round_index, attempt);
  absl::MutexLock lock(&mu_);
  const auto it = std::lower_bound(ended_rounds_.begin(), ended_rounds_.end(), wanted,
                                   [](const auto& round, const auto& key) {
                                     return std::pair(round->round_index, round->attempt) < key;
                                   });
  const bool is_there =
      it != ended_rounds_.end() && std::pair((*it)->round_index, (*it)->attempt) == wanted;
  return is_there ? *it : nullptr;
}

JobHistory JobEngine::History() const {
  absl::MutexLock lock(&mu_);
  return JobHistory{.rounds = ended_rounds_,
                    .chronicles = chronicles_.ended(),
                    .in_flight = chronicles_.in_flight()};
}

RoundChronicle JobEngine::ChronicleInFlight() const {
  absl::MutexLock lock(&mu_);
  return chronicles_.in_flight();
}

uint64_t JobEngine::Watch(std::function<void()> on_change) {
  return watchers_.Add(std::move(on_change));
}

void JobEngine::Unwatch(uint64_t id) { watchers_.Remove(id); }

void JobEngine::AddBytesDown(uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  bytes_down_ += bytes;
}

}  // namespace entente::engine
