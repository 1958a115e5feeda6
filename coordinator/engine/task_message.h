// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_TASK_MESSAGE_H_
#define COORDINATOR_ENGINE_TASK_MESSAGE_H_

// What the coordinator tells a worker about its work. Pure functions of the job's state.

#include <cstdint>

#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "coordinator/engine/job_description.h"
#include "coordinator/engine/worker_terms.h"
#include "coordinator/rounds/round_effect.h"
#include "coordinator/rounds/round_state.h"
#include "entente/v1/worker_service.pb.h"

namespace entente::engine {

// The task of `worker` in `round`. Its seed depends on the recipe's seed, the round and the worker,
// not on the attempt: the same work gives the same update.
v1::CoordinatorMessage TaskMessage(const JobDescription& job, const rounds::RoundState& round,
                                   const WorkerId& worker, v1::TaskKey::Kind kind,
                                   const WorkerTerms& terms, absl::Time now);

v1::CoordinatorMessage TaskCancelledMessage(const JobId& job, const rounds::CancelTask& cancel);

// That nothing of the job is to be done any more. The round is its last, for the workers' logs.
v1::CoordinatorMessage JobEndedMessage(const JobDescription& job, uint32_t round_index);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_TASK_MESSAGE_H_
