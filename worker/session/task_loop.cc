// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_loop.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/config/proto_time.h"
#include "worker/session/task_key.h"
#include "worker/session/task_trace.h"

namespace entente::worker {
namespace {

// A trainer may report much more often than anybody looks.
constexpr absl::Duration kReportInterval = absl::Seconds(1);
constexpr absl::Duration kProgressIntervalMin = absl::Milliseconds(50);
constexpr absl::string_view kStopping = "the worker is stopping";

// Equal keys with another model or recipe would be another task, whatever it is called.
bool IsSame(const v1::Task& a, const v1::Task& b) {
  return SameTask(a.key(), b.key()) && a.model_digest() == b.model_digest() &&
         a.recipe_digest() == b.recipe_digest();
}

// Whatever a trainer or a disk said: what is not UTF-8 could not be read at the other end.
std::string ReasonOf(absl::string_view text) {
  return std::string(ClipUtf8(ToValidUtf8(text), limits::kReasonBytesMax));
}

v1::WorkerMessage FailedMessage(const v1::TaskKey& key, absl::string_view reason) {
  v1::WorkerMessage message;
  *message.mutable_failed()->mutable_key() = key;
  message.mutable_failed()->set_reason(ReasonOf(reason));
  return message;
}

// Of a task that the next start of this worker may finish.
v1::WorkerMessage StoppingMessage(const v1::TaskKey& key) {
  v1::WorkerMessage message = FailedMessage(key, kStopping);
  message.mutable_failed()->set_may_return(true);
  return message;
}

v1::WorkerMessage EvaluatedMessage(const v1::TaskKey& key, const v1::Metrics& metrics) {
  v1::WorkerMessage message;
  *message.mutable_evaluated()->mutable_key() = key;
  *message.mutable_evaluated()->mutable_metrics() = metrics;
  return message;
}

}  // namespace

TaskLoop::TaskLoop(Dependencies dependencies) : dependencies_(dependencies) {}

TaskLoop::~TaskLoop() { Drain(absl::ZeroDuration()); }

void TaskLoop::HandleAttached(const WorkerId& self) {
  absl::MutexLock lock(&mu_);
  self_ = self;
}

void TaskLoop::HandleTask(v1::Task task) {
  const std::optional<v1::TaskDeclined> refusal = dependencies_.admission->Refusal(task);
  absl::MutexLock lock(&mu_);
  const auto known = entries_.find(task.key().job_id());
  const bool is_known = known != entries_.end() && IsSame(known->second->task, task);
  // One that was stopped at its deadline is begun anew: its round has been given more time.
  const bool is_overdue =
      is_known && known->second->cancel.cancelled() && !known->second->answer.has_value();
  if (is_known && (draining_ || !is_overdue)) {
    AnswerAgain(known->second, task);
  } else if (refusal.has_value()) {
    const log::Scope scope(TaskLogFields(task, self_));
    log::Warning("task declined", {{"rule", refusal->rule()}, {"reason", refusal->reason()}});
    v1::WorkerMessage message;
    *message.mutable_declined() = *refusal;
    dependencies_.sender->Send(std::move(message));
  } else if (draining_) {
    SendDeclined(task.key(), kStopping);
  } else {
    Add(std::move(task));
  }
}

void TaskLoop::HandleCancelled(const v1::TaskCancelled& cancelled) {
  absl::MutexLock lock(&mu_);
  const auto known = entries_.find(cancelled.key().job_id());
  if (known == entries_.end() || !SameTask(known->second->task.key(), cancelled.key())) return;
  const log::Scope scope(TaskLogFields(known->second->task, self_));
  log::Info("task cancelled", {{"reason", cancelled.reason()}});
  // What was made for it stays for the round's next attempt.
  Remove(cancelled.key().job_id(), cancelled.reason());
}

void TaskLoop::HandleJobEnded(const v1::JobEnded& ended) {
  absl::MutexLock lock(&mu_);
  // More jobs than have a task here cannot end at once; a peer that says so is not listened to.
  if (jobs_to_forget_.size() < limits::kWorkerTasksMax) jobs_to_forget_.push_back(ended);
  PostWork();
}

void TaskLoop::GiveBackTasks(const std::string& reason) {
  absl::MutexLock lock(&mu_);
  std::vector<EntryPointer> given_back;
  for (const auto& [job_id, entry] : entries_) {
    if (entry->state != Entry::State::kFinished) given_back.push_back(entry);
  }
  for (const EntryPointer& entry : given_back) {
    const v1::TaskKey& key = entry->task.key();
    const log::Scope scope(TaskLogFields(entry->task, self_));
    log::Info("task given back", {{"reason", reason}});
    SendDeclined(key, reason);
    Remove(key.job_id(), reason);
    ForgetSoon(*entry);
  }
}

void TaskLoop::Drain(absl::Duration limit) {
  {
    absl::MutexLock lock(&mu_);
    draining_ = true;
    for (const EntryPointer& entry : queue_) {
      entry->state = Entry::State::kFinished;
      dependencies_.sender->Send(StoppingMessage(entry->task.key()));
    }
    queue_.clear();
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return running_ == nullptr; };
    if (!became_idle_.AwaitFor(&mu_, limit, idle)) {
      dependencies_.sender->Send(StoppingMessage(running_->task.key()));
      running_->cancel.Cancel(kStopping);
    }
    // What is to be forgotten is, before the runner is closed.
    const auto at_rest = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !is_posted_; };
    mu_.Await(absl::Condition(&at_rest));
    if (std::exchange(is_closed_, true)) return;
  }
  timer_gate_->CloseAndWait(absl::InfiniteDuration());
  dependencies_.runner->Close();
}

bool TaskLoop::HasWork() const {
  return !queue_.empty() || !to_forget_.empty() || !jobs_to_forget_.empty();
}

void TaskLoop::PostWork() {
  if (is_posted_ || is_closed_ || !HasWork()) return;
  is_posted_ = true;
  dependencies_.executor->Post([this] { RunTasks(); });
}

void TaskLoop::RunTasks() {
  while (true) {
    std::vector<Forgotten> to_forget;
    std::vector<v1::JobEnded> jobs_to_forget;
    WorkerId self;
    EntryPointer next;
    {
      absl::MutexLock lock(&mu_);
      if (!HasWork()) {
        is_posted_ = false;
        return;
      }
      self = self_;
      to_forget.swap(to_forget_);
      jobs_to_forget.swap(jobs_to_forget_);
      if (!queue_.empty()) {
        next = queue_.front();
        queue_.pop_front();
        next->state = Entry::State::kRunning;
        running_ = next;
      }
    }
    for (const Forgotten& forgotten : to_forget) {
      const log::Scope scope(forgotten.log_fields);
      dependencies_.runner->Forget(forgotten.key);
    }
    for (const v1::JobEnded& ended : jobs_to_forget) {
      const log::Scope scope(EndedJobLogFields(ended, self));
      dependencies_.runner->ForgetJob(ended.job_id());
    }
    if (next != nullptr) RunOne(next);
  }
}

void TaskLoop::RunOne(const EntryPointer& entry) {
  const log::Scope scope(TaskLogFields(entry->task, entry->worker));
  log::Info("task started");
  absl::Time deadline;
  {
    absl::MutexLock lock(&mu_);
    deadline = entry->deadline;
  }
  const TaskResult result = dependencies_.runner->Run(
      entry->task, deadline,
      [this, &entry](absl::string_view activity, const StepProgress& step) {
        Report(entry, activity, step);
      },
      entry->cancel);
  Finish(entry, result);
}

void TaskLoop::Finish(const EntryPointer& entry, const TaskResult& result) {
  const v1::TaskKey& key = entry->task.key();
  switch (result.end) {
    case TaskResult::End::kDone:
      log::Info("task done");
      break;
    case TaskResult::End::kCancelled:
      log::Info("task stopped", {{"reason", result.reason}});
      break;
    case TaskResult::End::kRefused:
    case TaskResult::End::kFailed:
      log::Error("task failed", {{"reason", result.reason}});
      break;
  }
  absl::MutexLock lock(&mu_);
  running_ = nullptr;
  became_idle_.SignalAll();
  entry->state = Entry::State::kFinished;
  const auto known = entries_.find(key.job_id());
  const bool is_wanted = known != entries_.end() && known->second == entry;
  // A task that was replaced or cancelled has had its last word.
  if (!is_wanted || (draining_ && result.end == TaskResult::End::kCancelled)) return;
  if (result.end == TaskResult::End::kDone) {
    if (!result.metrics.has_value()) return;  // The receipt of the upload says it all.
    entry->answer = EvaluatedMessage(key, *result.metrics);
    dependencies_.sender->Send(*entry->answer);
    return;
  }
  v1::WorkerMessage failed = FailedMessage(key, result.reason);
  // Who asks for the task again has not given it up, and gets an update that is kept, or one for
  // which there was no time before.
  if (!result.keeps_update && result.end != TaskResult::End::kCancelled) entry->answer = failed;
  // A refusal is in the coordinator's journal already, or its round is over.
  if (result.end != TaskResult::End::kRefused) dependencies_.sender->Send(std::move(failed));
}

void TaskLoop::OnTimer(absl::Time at) {
  absl::MutexLock lock(&mu_);
  if (timer_at_ == at) timer_at_ = absl::InfiniteFuture();
  LookAtAll();
}

void TaskLoop::LookAtAll() {
  const absl::Time now = dependencies_.clock->Now();
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [job_id, entry] : entries_) {
    if (entry->state == Entry::State::kFinished) continue;
    if (now >= entry->deadline) {
      entry->cancel.Cancel("the task's deadline passed");
      continue;
    }
    if (now >= entry->next_progress_at) SendProgress(entry);
    next = std::min({next, entry->next_progress_at, entry->deadline});
  }
  if (next >= timer_at_) return;
  timer_at_ = next;
  dependencies_.timers->RunAt(next, [this, gate = timer_gate_, next] {
    if (!gate->Enter()) return;
    OnTimer(next);
    gate->Leave();
  });
}

void TaskLoop::Add(v1::Task task) {
  const v1::TaskKey key = task.key();
  const EntryPointer replaced = Remove(key.job_id(), "a newer task of the job came");
  if (replaced != nullptr && replaced->task.key().round_index() != key.round_index()) {
    ForgetSoon(*replaced);
  }
  if (queue_.size() >= limits::kWorkerTasksMax) {
    SendDeclined(key, absl::StrCat("the worker has ", queue_.size(), " tasks waiting already"));
    return;
  }
  // Jobs that ended here long ago; the coordinator will not ask about them.
  for (auto old = entries_.begin(); entries_.size() >= 2 * limits::kWorkerTasksMax;) {
    old = old->second->state == Entry::State::kFinished ? entries_.erase(old) : std::next(old);
    if (old == entries_.end()) break;
  }
  const auto entry = std::make_shared<Entry>(std::move(task), dependencies_.wait);
  *entry->progress.mutable_key() = key;
  entry->worker = self_;
  entries_[key.job_id()] = entry;
  SetDeadline(entry, entry->task);
  SendAccepted(key);
  Enqueue(entry);
}

void TaskLoop::AnswerAgain(const EntryPointer& entry, const v1::Task& task) {
  SendAccepted(task.key());
  SetDeadline(entry, task);
  if (entry->state != Entry::State::kFinished) {
    SendProgress(entry);
  } else if (entry->answer.has_value()) {
    dependencies_.sender->Send(*entry->answer);
  } else if (!draining_) {
    // The update was acknowledged, and yet it is asked for; or it could not be sent. It is sent
    // from the kept file.
    Enqueue(entry);
  }
}

void TaskLoop::Enqueue(const EntryPointer& entry) {
  entry->state = Entry::State::kQueued;
  queue_.push_back(entry);
  entry->progress.set_activity("queued");
  if (running_ != nullptr || queue_.size() > 1) SendProgress(entry);
  PostWork();
  LookAtAll();
}

TaskLoop::EntryPointer TaskLoop::Remove(const std::string& job_id, absl::string_view reason) {
  const auto known = entries_.find(job_id);
  if (known == entries_.end()) return nullptr;
  EntryPointer entry = known->second;
  entries_.erase(known);
  entry->cancel.Cancel(reason);
  queue_.erase(std::remove(queue_.begin(), queue_.end(), entry), queue_.end());
  return entry;
}

void TaskLoop::ForgetSoon(const Entry& entry) {
  if (entry.task.key().kind() != v1::TaskKey::KIND_TRAIN) return;
  // Nothing is lost by one too many: more tasks than that were never started here, and what an
  // earlier run of this worker kept for them goes when there is too much of it.
  if (to_forget_.size() < limits::kWorkerTasksToForgetMax) {
    to_forget_.push_back(
        {.key = entry.task.key(), .log_fields = TaskLogFields(entry.task, entry.worker)});
  }
  PostWork();
}

void TaskLoop::SetDeadline(const EntryPointer& entry, const v1::Task& task) {
  const absl::Time now = dependencies_.clock->Now();
  entry->deadline = now + ToDuration(task.deadline());
  entry->progress_interval = std::max(ToDuration(task.lease()) / 3, kProgressIntervalMin);
  entry->next_progress_at = now + entry->progress_interval;
  entry->last_progress_at = absl::InfinitePast();
  LookAtAll();
}

void TaskLoop::Report(const EntryPointer& entry, absl::string_view activity,
                      const StepProgress& step) {
  absl::MutexLock lock(&mu_);
  const bool is_new = entry->progress.activity() != std::string(activity);
  entry->progress.set_activity(std::string(activity));
  entry->progress.set_step(step.step);
  entry->progress.set_step_count(step.step_count);
  entry->progress.set_loss(step.loss);
  const absl::Duration since = dependencies_.clock->Now() - entry->last_progress_at;
  if (is_new || since >= kReportInterval) SendProgress(entry);
}

void TaskLoop::SendProgress(const EntryPointer& entry) {
  const absl::Time now = dependencies_.clock->Now();
  entry->last_progress_at = now;
  entry->next_progress_at = now + entry->progress_interval;
  // One that was cancelled has had its last word, though it may not have noticed yet.
  if (entry->cancel.cancelled()) return;
  v1::WorkerMessage message;
  *message.mutable_progress() = entry->progress;
  dependencies_.sender->Send(std::move(message));
}

void TaskLoop::SendAccepted(const v1::TaskKey& key) {
  v1::WorkerMessage message;
  *message.mutable_accepted()->mutable_key() = key;
  dependencies_.sender->Send(std::move(message));
}

void TaskLoop::SendDeclined(const v1::TaskKey& key, absl::string_view reason) {
  v1::WorkerMessage message;
  *message.mutable_declined()->mutable_key() = key;
  message.mutable_declined()->set_reason(ReasonOf(reason));
  dependencies_.sender->Send(std::move(message));
}

}  // namespace entente::worker
