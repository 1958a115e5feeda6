// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/worker_terms.h"

#include "common/base/limits.h"

namespace entente::engine {

void WorkerTermsBook::Count(const rounds::RoundState& ended) {
  if (ended.phase != rounds::RoundPhase::kCommitted) return;
  for (const auto& [worker, participant] : ended.participants) {
    if (participant.state != rounds::ParticipantState::kAccepted) continue;
    counted_[worker] = participant.update.digest;
  }
}

WorkerTerms WorkerTermsBook::Of(const WorkerId& worker, const v1::Recipe& recipe,
                                const members::WorkerRegistry& workers) const {
  WorkerTerms terms;
  const v1::Updates::Encoding wanted = recipe.updates().encoding();
  terms.falls_back_to_fp32 =
      wanted != v1::Updates::ENCODING_FP32 && !workers.CanWrite(worker, wanted);
  terms.keeps_checkpoints = workers.ProtocolMinorOf(worker) >= limits::kProtocolMinorOfCheckpoints;
  if (const auto it = counted_.find(worker); it != counted_.end()) {
    terms.counted_update = it->second;
  }
  return terms;
}

void SayJobEnded(const JobDescription& job, members::WorkerRegistry* workers) {
  v1::CoordinatorMessage message;
  message.mutable_job_ended()->set_job_id(job.id.value());
  for (const WorkerId& worker : workers->AttachedWith(job.recipe.dataset())) {
    workers->Send(worker, message);
  }
}

}  // namespace entente::engine
