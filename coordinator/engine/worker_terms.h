// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_WORKER_TERMS_H_
#define COORDINATOR_ENGINE_WORKER_TERMS_H_

// What a job's tasks tell one worker and not the others: how its update and its model travel, and
// which of its updates was the last that counted.

#include <map>

#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/rounds/round_state.h"
#include "entente/v1/recipe.pb.h"

namespace entente::engine {

struct WorkerTerms {
  v1::Updates updates;             // The recipe's, as far as the worker knows it.
  Digest rounded_model;            // The copy of the task's model, if it downloads that; else none.
  bool keeps_checkpoints = false;  // It knows what the recipe says of them.
  Digest counted_update;           // Its newest one that is in a committed model; none if none is.
};

// Folded from the ended rounds, like all of a job's state: the same after a restart. Not
// thread-safe.
class WorkerTermsBook {
 public:
  // Takes in an ended attempt: the updates that a committed one accepted count, others never do.
  void Count(const rounds::RoundState& ended);

  // A worker that cannot write the recipe's encoding writes fp32, as every worker can; one that
  // cannot read the recipe's download reads fp32. It may be the other after a restart; that is no
  // matter, for the intake takes updates in both (AcceptedForms) and from both (CheckUpload).
  // Which copy that is, is the task's: rounded_model is none.
  WorkerTerms Of(const WorkerId& worker, const v1::Recipe& recipe,
                 const members::WorkerRegistry& workers) const;

 private:
  std::map<WorkerId, Digest> counted_;
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_WORKER_TERMS_H_
