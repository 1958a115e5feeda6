// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_LISTENER_H_
#define WORKER_SESSION_TASK_LISTENER_H_

#include "entente/v1/task.pb.h"

namespace entente::worker {

// Who hears what the coordinator asks. Called on gRPC's threads, one call at a time: must not
// block.
class TaskListener {
 public:
  virtual ~TaskListener() = default;

  virtual void HandleTask(v1::Task task) = 0;
  virtual void HandleCancelled(const v1::TaskCancelled& cancelled) = 0;
  virtual void HandleJobEnded(const v1::JobEnded& ended) = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_LISTENER_H_
