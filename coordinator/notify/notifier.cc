// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace entente::notify {
namespace {

std::optional<Event> EndOf(jobs::JobStatus status) {
  switch (status) {
    case jobs::JobStatus::kRunning:
      return std::nullopt;
    case jobs::JobStatus::kCompleted:
      return Event::kJobFinished;
    case jobs::JobStatus::kFailed:
      return Event::kJobFailed;
    case jobs::JobStatus::kCancelled:
      return Event::kJobCancelled;
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<Notifier> Notifier::Create(const Dependencies& dependencies, Options options,
                                           std::vector<std::unique_ptr<NotificationQueue>> queues) {
  return absl::WrapUnique(new Notifier(dependencies, std::move(options), std::move(queues)));
}

Notifier::Notifier(const Dependencies& dependencies, Options options,
                   std::vector<std::unique_ptr<NotificationQueue>> queues)
    : deps_(dependencies), options_(std::move(options)), queues_(std::move(queues)) {}

void Notifier::OnJobChange(const engine::JobChange& change) {
  Notification about;
  about.job = change.job.id;
  about.trace = change.job.trace.trace_id();
  if (change.ended_round != nullptr && change.ended_round->phase == rounds::RoundPhase::kAborted) {
    Notification aborted = about;
    aborted.event = Event::kRoundAborted;
    aborted.round_index = change.ended_round->round_index;
    aborted.attempt = change.ended_round->attempt;
    aborted.reason = change.ended_round->reason;
    Tell(std::move(aborted));
  }
  if (const std::optional<Event> end = EndOf(change.state.status)) {
    about.event = *end;
    about.round_index = change.state.round.round_index;
    about.attempt = change.state.round.attempt;
    about.reason = change.state.reason;
    Tell(std::move(about));
  }
}

void Notifier::OnWorker(const WorkerId& worker, bool attached) {
  if (!options_.events.contains(Event::kWorkerGone)) return;
  uint64_t departure = 0;
  {
    absl::MutexLock lock(&mu_);
    if (ignores_workers_) return;
    departure = ++moves_[worker];
  }
  if (attached || deps_.workers->AwayOf(worker).has_value()) return;
  deps_.pauses->RunAt(deps_.steady_clock->Now() + options_.worker_gone_after,
                      [weak = weak_from_this(), worker, departure] {
                        if (const auto self = weak.lock()) self->TellGone(worker, departure);
                      });
}

void Notifier::TellGone(const WorkerId& worker, uint64_t departure) {
  {
    absl::MutexLock lock(&mu_);
    if (ignores_workers_ || moves_[worker] != departure) return;
  }
  Notification gone;
  gone.event = Event::kWorkerGone;
  gone.worker = worker;
  const std::vector<members::WorkerSnapshot> all = deps_.workers->Snapshot();
  const auto known = std::find_if(all.begin(), all.end(), [&](const members::WorkerSnapshot& each) {
    return each.id == worker;
  });
  const std::string why = known == all.end() ? "" : known->reason;
  gone.reason = absl::StrCat("not attached for ", absl::FormatDuration(options_.worker_gone_after),
                             why.empty() ? "" : ": ", why);
  Tell(std::move(gone));
}

void Notifier::Tell(Notification notification) {
  if (!options_.events.contains(notification.event)) return;
  notification.at = deps_.clock->Now();
  // 128 bits of chance: unlike any other's, also after a restart.
  notification.id = absl::StrCat("msg_", absl::Hex(deps_.random->Next(), absl::kZeroPad16),
                                 absl::Hex(deps_.random->Next(), absl::kZeroPad16));
  for (const auto& queue : queues_) queue->Add(notification);
}

void Notifier::IgnoreWorkers() {
  absl::MutexLock lock(&mu_);
  ignores_workers_ = true;
}

void Notifier::Stop(absl::Duration limit) {
  const absl::Time end = deps_.steady_clock->Now() + limit;
  for (const auto& queue : queues_) {
    queue->Stop(std::max(absl::ZeroDuration(), end - deps_.steady_clock->Now()));
  }
}

}  // namespace entente::notify
