// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_end.h"

#include "coordinator/engine/task_message.h"

namespace entente::engine {

void SayJobEnded(const JobDescription& job, uint32_t round_index,
                 members::WorkerRegistry* workers) {
  const v1::CoordinatorMessage ended = JobEndedMessage(job, round_index);
  for (const WorkerId& worker : workers->AttachedWith(job.recipe.dataset())) {
    workers->Send(worker, ended);
  }
}

}  // namespace entente::engine
