// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_TRANSITION_LOG_H_
#define COORDINATOR_ENGINE_TRANSITION_LOG_H_

#include "common/base/strong_id.h"
#include "coordinator/jobs/job_machine.h"

namespace entente::engine {

// What an operator reads in the coordinator's log when something happened to a job: the end of a
// round and of the job with their reasons; everything else at debug level.
void LogTransition(const JobId& job, const jobs::JobTransition& transition);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_TRANSITION_LOG_H_
