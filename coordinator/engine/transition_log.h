// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_TRANSITION_LOG_H_
#define COORDINATOR_ENGINE_TRANSITION_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/log.h"
#include "common/base/strong_id.h"
#include "coordinator/engine/job_description.h"
#include "coordinator/jobs/job_machine.h"

namespace entente::engine {

// What every line about the job carries: job, round, trace.
std::vector<log::Field> LogFieldsOf(const JobDescription& job, uint32_t round_index);

// A worker's bad news in a round: "task failed", "update refused", "worker missing".
void LogSetback(absl::string_view what, const JobId& job, uint32_t round_index,
                const WorkerId& worker, const std::string& reason);

// What an operator reads in the coordinator's log when `event` happened to a job: that somebody
// paused or resumed it, who and why; the end of a round and of the job with their reasons, an
// aborted attempt as a warning and a failed job as an error; everything else at debug level.
void LogTransition(const JobId& job, const jobs::JobEvent& event,
                   const jobs::JobTransition& transition);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_TRANSITION_LOG_H_
