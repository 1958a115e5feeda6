// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_TRACE_H_
#define WORKER_SESSION_TASK_TRACE_H_

// Whose work a task is, for logs and for the trainer.

#include <vector>

#include "common/base/log.h"
#include "common/base/strong_id.h"
#include "common/base/trace_context.h"
#include "entente/v1/task.pb.h"

namespace entente::worker {

// The task's traceparent. From a coordinator that sends none, or no valid one: a trace named after
// the job, so that all of the job's tasks here share it.
TraceContext TraceOfTask(const v1::Task& task);

// What the trainer is told: the same trace, with the task as its parent.
TraceContext TrainerTrace(const v1::Task& task);

// What the coordinator is told with each call for the task's model and update, as the trainer is.
TraceContext TransferTrace(const v1::Task& task);

// What every line about the task carries: task, job, round, attempt, worker, trace.
std::vector<log::Field> TaskLogFields(const v1::Task& task, const WorkerId& self);

// What every line about a job that has ended carries: job, round, worker, trace; without a round if
// an older coordinator says so.
std::vector<log::Field> EndedJobLogFields(const v1::JobEnded& ended, const WorkerId& self);

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_TRACE_H_
