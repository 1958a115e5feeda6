// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_STALE_TASK_H_
#define COORDINATOR_ENGINE_STALE_TASK_H_

// Whether anything can still come of a task that a worker says it works on. A worker whose link was
// down when its task was called off, or whose coordinator ended before it said so, would work on
// until the task's deadline, days perhaps, with other jobs' tasks waiting behind it. So it is told
// when it speaks of the task, which it does several times a lease; nobody keeps a list of who was
// not told.

#include <optional>
#include <string>

#include "common/base/strong_id.h"
#include "coordinator/jobs/job_state.h"
#include "coordinator/rounds/round_state.h"
#include "entente/v1/task.pb.h"

namespace entente::engine {

// Why nothing can come of the task `key` of `worker` any more, one sentence; none if something can.
// `ended` is the attempt that `key` names if that has ended, else null.
//
// None, too, if the worker's update is in, for then it only has not heard so yet, and must not
// forget what it keeps; and while the attempt in flight waits to be opened: a worker that has its
// task all the same, because the journal came back without the opening, will be asked again.
std::optional<std::string> WhyCalledOff(const jobs::JobState& job, const rounds::RoundState* ended,
                                        const WorkerId& worker, const v1::TaskKey& key);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_STALE_TASK_H_
