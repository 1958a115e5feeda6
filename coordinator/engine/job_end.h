// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_END_H_
#define COORDINATOR_ENGINE_JOB_END_H_

#include <cstdint>

#include "coordinator/engine/job_description.h"
#include "coordinator/members/worker_registry.h"

namespace entente::engine {

// Tells the attached workers with the job's data set that it is over. Whoever is not attached hears
// it if it speaks of the job later on, and has a limit of its own for what it keeps. The round is
// the job's last.
void SayJobEnded(const JobDescription& job, uint32_t round_index, members::WorkerRegistry* workers);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_END_H_
