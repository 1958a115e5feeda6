// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TASK_LOOP_H_
#define WORKER_SESSION_TASK_LOOP_H_

// What this worker is working on. Tasks come from the control stream, run one after the other on an
// executor of their own, and their answers go back through the ControlSender.
//
//               HandleTask           turn comes           runner done
//   (unknown) -------------> queued ------------> running ------------> finished
//       ^                      |                     |                      |
//       +----------------------+---------------------+----------------------+
//      cancelled by the coordinator, given back by the site, or another task of the same job came
//
// A job has one task here at a time; a newer one takes its place. A task that comes again (after a
// reconnect) is not started again: it is accepted, and where it stands or how it ended is said
// again. Only one that was stopped at its deadline is: it comes again if its round is to last
// longer. While a task is queued or running its progress is said at least three times a lease, and
// it is stopped when the time has passed that its round had left when it came: both whatever
// anybody sets this machine's clock to.
//
// What was made for a task outlives it, for the next attempt of the round asks for the same: until
// a task of another round comes, the site gives it back, or the job ends.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/drain_gate.h"
#include "common/base/executor.h"
#include "common/base/log.h"
#include "common/base/steady_cond_var.h"
#include "common/base/timers.h"
#include "entente/v1/worker_service.pb.h"
#include "worker/session/control_sender.h"
#include "worker/session/task_admission.h"
#include "worker/session/task_listener.h"
#include "worker/session/task_runner.h"

namespace entente::worker {

// Thread-safe.
class TaskLoop final : public TaskListener {
 public:
  // Borrowed; all must outlive this.
  struct Dependencies {
    ControlSender* sender = nullptr;
    TaskRunner* runner = nullptr;
    const TaskAdmission* admission = nullptr;
    const Clock* clock = nullptr;           // As SteadyClock: it must never be set.
    Executor* executor = nullptr;           // A running task keeps it busy until it has ended.
    Timers* timers = nullptr;               // For progress and deadlines; must go by `clock`.
    const CancellableWait* wait = nullptr;  // How a task waits; null: real time.
  };

  explicit TaskLoop(Dependencies dependencies);

  // Cancels what runs and waits for it.
  ~TaskLoop() override;

  void HandleAttached(const WorkerId& self) override ABSL_LOCKS_EXCLUDED(mu_);
  void HandleTask(v1::Task task) override ABSL_LOCKS_EXCLUDED(mu_);
  void HandleCancelled(const v1::TaskCancelled& cancelled) override ABSL_LOCKS_EXCLUDED(mu_);
  void HandleJobEnded(const v1::JobEnded& ended) override ABSL_LOCKS_EXCLUDED(mu_);

  // Gives back whatever is queued or runs, and forgets it: the site wants its machine.
  void GiveBackTasks(const std::string& reason) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes no more tasks, gives up the queued ones, waits for at most `limit` for the running one,
  // then cancels it. The coordinator hears of each. Returns when nothing runs any more and the
  // runner is closed.
  void Drain(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // A task and where it stands. All but `task`, `worker` and `cancel` is guarded by mu_.
  struct Entry {
    enum class State { kQueued, kRunning, kFinished };

    Entry(v1::Task task_in, const CancellableWait* wait) : task(std::move(task_in)), cancel(wait) {}

    const v1::Task task;
    CancelToken cancel;
    WorkerId worker;  // This one, as it was called when the task came.
    State state = State::kQueued;
    absl::Time deadline;
    absl::Duration progress_interval;
    absl::Time next_progress_at;
    absl::Time last_progress_at;
    v1::TaskProgress progress;
    std::optional<v1::WorkerMessage> answer;  // Said again if the task comes again.
  };
  // Shared by the map of jobs, the queue and who runs it.
  using EntryPointer = std::shared_ptr<Entry>;

  // What is left of a task whose files are to go. Without the recipe, which may be large.
  struct Forgotten {
    v1::TaskKey key;
    std::vector<log::Field> log_fields;
  };

  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Posts RunTasks if there is work and it is not posted yet.
  void PostWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunTasks() ABSL_LOCKS_EXCLUDED(mu_);
  void RunOne(const EntryPointer& entry) ABSL_LOCKS_EXCLUDED(mu_);
  void Finish(const EntryPointer& entry, const TaskResult& result) ABSL_LOCKS_EXCLUDED(mu_);
  void OnTimer(absl::Time at) ABSL_LOCKS_EXCLUDED(mu_);
  // Says what is due, cancels what is overdue, and arms the timer for when to look again.
  void LookAtAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void Add(v1::Task task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AnswerAgain(const EntryPointer& entry, const v1::Task& task)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enqueue(const EntryPointer& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Cancels the job's task, whatever it does, and returns it; null if it has none.
  EntryPointer Remove(const std::string& job_id, absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Has what is kept for the task forgotten. Of more than limits::kWorkerTasksToForgetMax at once
  // the files stay until others take their place.
  void ForgetSoon(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetDeadline(const EntryPointer& entry, const v1::Task& task)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Report(const EntryPointer& entry, absl::string_view activity, const StepProgress& step)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Sending only queues, so it is done under the lock: nothing may follow a task's last word.
  void SendProgress(const EntryPointer& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendAccepted(const v1::TaskKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendDeclined(const v1::TaskKey& key, absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Dependencies dependencies_;

  absl::Mutex mu_;
  SteadyCondVar became_idle_;
  WorkerId self_ ABSL_GUARDED_BY(mu_);  // Empty before the first task can come.
  std::map<std::string, EntryPointer> entries_ ABSL_GUARDED_BY(mu_);  // By job.
  std::deque<EntryPointer> queue_ ABSL_GUARDED_BY(mu_);
  std::vector<Forgotten> to_forget_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::JobEnded> jobs_to_forget_ ABSL_GUARDED_BY(mu_);
  EntryPointer running_ ABSL_GUARDED_BY(mu_);    // Null while idle.
  bool is_posted_ ABSL_GUARDED_BY(mu_) = false;  // RunTasks is on the executor.
  absl::Time timer_at_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();  // The next one armed.
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;

  // Timers enter it. Shared with those in flight, which may outlive this.
  const std::shared_ptr<DrainGate> timer_gate_ = std::make_shared<DrainGate>();
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_TASK_LOOP_H_
