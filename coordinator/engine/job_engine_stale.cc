// SPDX-License-Identifier: Apache-2.0
// What JobEngine answers a worker that works on what nothing can come of.

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/engine/stale_task.h"
#include "coordinator/engine/task_message.h"

namespace entente::engine {

void JobEngine::CallOffIfStale(const WorkerId& worker, const v1::TaskKey& key) {
  const auto ended = EndedAttempt(key.round_index(), key.attempt());
  if (const auto why = WhyCalledOff(working_state_, ended.get(), worker, key); why.has_value()) {
    log::Info("stale task called off", {{"worker", worker.value()}, {"reason", *why}});
    CarryOut(rounds::RoundEffect(
        rounds::CancelTask{.worker = worker,
                           .round_index = key.round_index(),
                           .attempt = key.attempt(),
                           .evaluates = key.kind() == v1::TaskKey::KIND_EVALUATE,
                           .reason = *why}));
  }
  if (working_state_.HasEnded()) {
    deps_.workers->Send(worker, JobEndedMessage(*description_, working_state_.round.round_index));
  }
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

}  // namespace entente::engine
