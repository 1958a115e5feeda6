// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_JOB_CHANGE_H_
#define COORDINATOR_ENGINE_JOB_CHANGE_H_

#include <functional>
#include <memory>

#include "coordinator/engine/job_description.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/rounds/round_state.h"

namespace entente::engine {

// What has just happened to a job, journalled and visible.
struct JobChange {
  const JobDescription& job;
  const jobs::JobState& state;  // As it is now.
  // The attempt that this has ended, committed or aborted; null: none.
  std::shared_ptr<const rounds::RoundState> ended_round;
};

// Called after every change of every job but those that are replayed from the journal, on the job's
// own executor: the changes of one job come in order. Must not block. What it is given lives until
// it returns.
using JobObserver = std::function<void(const JobChange& change)>;

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_JOB_CHANGE_H_
