// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_LISTENER_H_
#define WORKER_SESSION_TASK_LISTENER_H_

#include "common/base/strong_id.h"
#include "entente/v1/task.pb.h"

namespace entente::worker {

// Who hears what the coordinator asks. Called on gRPC's threads, one call at a time: must not
// block.
class TaskListener {
 public:
  virtual ~TaskListener() = default;

  // First, and again after each reconnect: what the coordinator calls this worker.
  virtual void HandleAttached(const WorkerId& self) = 0;

  virtual void HandleTask(v1::Task task) = 0;
  virtual void HandleCancelled(const v1::TaskCancelled& cancelled) = 0;
  virtual void HandleJobEnded(const v1::JobEnded& ended) = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_LISTENER_H_
