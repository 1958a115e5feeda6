// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_RUNNER_H_
#define WORKER_SESSION_TASK_RUNNER_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entente/v1/job.pb.h"
#include "entente/v1/task.pb.h"
#include "worker/trainer_host/cancel_token.h"
#include "worker/trainer_host/trainer.h"

namespace entente::worker {

// How a task ended.
struct TaskResult {
  enum class End {
    kDone,       // The update is uploaded, or `metrics` are there.
    kRefused,    // The coordinator has no use for the update, and said `reason`: it is written down
                 // there, or the attempt or the round is over.
    kFailed,     // `reason` is for the coordinator, which does not know: where the worker finds no
                 // room on the disk it says that it is this worker's.
    kCancelled,  // By the token.
  };
  End end = End::kFailed;
  std::string reason;
  std::optional<v1::Metrics> metrics;  // Of an evaluation.
  bool keeps_update = false;           // The update is there: the same task would only send it.
};

// Does the work of one task after the other. task_flow.h is the real one. One call at a time: all
// come from one thread but Close, which comes from whoever drains, after the last of the others.
class TaskRunner {
 public:
  // An activity of TaskProgress, and how far it is.
  using Report = std::function<void(absl::string_view, const StepProgress&)>;

  virtual ~TaskRunner() = default;

  // Blocks until the task is done or cancelled. A training that was done before, be it for an
  // earlier attempt of the round, and is still kept is only uploaded. What is kept for other rounds
  // of a job that is trained for is forgotten. Nobody waits for the result after `deadline`, a time
  // of the TaskLoop's clock.
  virtual TaskResult Run(const v1::Task& task, absl::Time deadline, const Report& report,
                         const CancelToken& cancel) = 0;

  // The task's round has moved on, or the site wants no more of it: forgets what was kept for it.
  virtual void Forget(const v1::TaskKey& key) = 0;

  // The job is over: forgets all that was kept for it.
  virtual void ForgetJob(const std::string& job_id) = 0;

  // No more tasks will come: stops the trainer.
  virtual void Close() = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_RUNNER_H_
