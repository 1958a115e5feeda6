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
  // A worker refuses a recipe with a word that it does not know.
  terms.updates = recipe.updates();
  if (terms.updates.encoding() != v1::Updates::ENCODING_FP32 &&
      !workers.CanWrite(worker, terms.updates.encoding())) {
    terms.updates.set_encoding(v1::Updates::ENCODING_FP32);
    terms.updates.clear_topk();
  }
  if (!workers.CanRead(worker, terms.updates.download())) terms.updates.clear_download();
  if (!workers.Knows(worker, terms.updates.compression())) terms.updates.clear_compression();
  terms.keeps_checkpoints = workers.ProtocolMinorOf(worker) >= limits::kProtocolMinorOfCheckpoints;
  if (const auto it = counted_.find(worker); it != counted_.end()) {
    terms.counted_update = it->second;
  }
  return terms;
}

}  // namespace entente::engine
