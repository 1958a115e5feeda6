// SPDX-License-Identifier: Apache-2.0
// What others see of a job: snapshots, and calls when they change.
#include <string>
#include <utility>

#include "coordinator/engine/job_engine.h"

namespace entente::engine {

JobView JobEngine::View() const {
  const absl::Status journal_health = deps_.journal->Health();
  absl::MutexLock lock(&mu_);
  JobView view{.description = description_,
               .state = state_,
               .progress = progress_,
               .evaluation = evaluation_,
               .bytes_up = bytes_up_,
               .bytes_down = bytes_down_,
               .combining = combining_,
               .journal_health = journal_health,
               .lease_ends = lease_ends_,
               .rests_until = rests_until_};
  for (auto& [worker, progress] : view.progress) {
    if (!progress.waits_for_room) continue;
    progress.activity = std::string(kWaitsForRoom);
    progress.step = 0;
    progress.step_count = 0;
  }
  return view;
}

bool JobEngine::HasEnded() const {
  absl::MutexLock lock(&mu_);
  return state_->HasEnded();
}

std::vector<std::shared_ptr<const rounds::RoundState>> JobEngine::Rounds() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<const rounds::RoundState>> rounds = ended_rounds_;
  // An aliasing pointer: the round lives as long as the state it is part of.
  if (!state_->HasEnded()) rounds.emplace_back(state_, &state_->round);
  return rounds;
}

JobHistory JobEngine::History() const {
  absl::MutexLock lock(&mu_);
  return JobHistory{.rounds = ended_rounds_,
                    .chronicles = chronicles_.ended(),
                    .in_flight = chronicles_.in_flight(),
                    .sequence = chronicles_.sequence()};
}

RoundChronicle JobEngine::ChronicleInFlight() const {
  absl::MutexLock lock(&mu_);
  return chronicles_.in_flight();
}

uint64_t JobEngine::Watch(std::function<void()> on_change) {
  return watchers_.Add(std::move(on_change));
}

void JobEngine::Unwatch(uint64_t id) { watchers_.Remove(id); }

void JobEngine::OnWorkerDetached(const WorkerId& worker) {
  Post([worker](JobEngine& self) { self.TellOfAttachment(worker); });
}

void JobEngine::TellOfAttachment(const WorkerId& worker) {
  if (working_state_.round.participants.contains(worker)) watchers_.NotifyAll();
}

void JobEngine::AddBytesDown(uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  bytes_down_ += bytes;
}

}  // namespace entente::engine
