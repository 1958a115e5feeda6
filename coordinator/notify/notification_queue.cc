// SPDX-License-Identifier: Apache-2.0
#include "coordinator/notify/notification_queue.h"

#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/retry.h"

namespace entente::notify {
namespace {

std::vector<log::Field> LogFieldsOf(const Notification& notification,
                                    const NotificationSender& sender) {
  std::vector<log::Field> fields = {{"to", sender.name()},
                                    {"event", EventName(notification.event)},
                                    {"notification", notification.id}};
  if (!notification.job.empty()) fields.emplace_back("job", notification.job.value());
  if (notification.round_index.has_value()) {
    fields.emplace_back("round", uint64_t{*notification.round_index} + 1);
  }
  if (!notification.worker.empty()) fields.emplace_back("worker", notification.worker.value());
  if (!notification.trace.empty()) fields.emplace_back("trace", notification.trace);
  return fields;
}

}  // namespace

NotificationQueue::NotificationQueue(std::unique_ptr<NotificationSender> sender,
                                     const Options& options, RandomSource* random)
    : sender_(std::move(sender)), options_(options), random_(*random), thread_([this] { Run(); }) {}

NotificationQueue::~NotificationQueue() { Stop(absl::ZeroDuration()); }

void NotificationQueue::Add(Notification notification) {
  std::optional<Notification> dropped;
  uint64_t dropped_count = 0;
  bool is_stopping = false;
  {
    absl::MutexLock lock(&mu_);
    is_stopping = !takes_more_;
    if (is_stopping) {
      dropped = std::move(notification);
    } else {
      waiting_.push_back(std::move(notification));
      if (waiting_.size() <= options_.waiting_max) return;
      dropped = std::move(waiting_.front());
      waiting_.pop_front();
    }
    dropped_count = ++counts_.dropped;
  }
  const log::Scope scope(LogFieldsOf(*dropped, *sender_));
  log::Warning(is_stopping ? "a notification is dropped: the coordinator stops"
                           : "too many notifications wait; the oldest is dropped",
               {{"dropped", dropped_count}});
}

void NotificationQueue::Stop(absl::Duration limit) {
  size_t left = 0;
  {
    absl::MutexLock lock(&mu_);
    takes_more_ = false;
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return waiting_.empty() && !is_sending_;
    };
    changed_.AwaitFor(&mu_, limit, idle);
    is_broken_off_ = true;
    changed_.SignalAll();
    left = waiting_.size();
    counts_.dropped += left;
    waiting_.clear();
  }
  sender_->Cancel();
  if (thread_.joinable()) thread_.join();
  if (left == 0) return;
  log::Warning("notifications are dropped: the coordinator stops",
               {{"to", sender_->name()}, {"dropped", left}});
}

NotificationQueue::Counts NotificationQueue::counts() const {
  absl::MutexLock lock(&mu_);
  return counts_;
}

void NotificationQueue::Run() {
  while (const std::optional<Notification> next = Take()) {
    const log::Scope scope(LogFieldsOf(*next, *sender_));
    Deliver(*next);
  }
}

std::optional<Notification> NotificationQueue::Take() {
  absl::MutexLock lock(&mu_);
  is_sending_ = false;
  changed_.SignalAll();
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !waiting_.empty() || is_broken_off_;
  };
  mu_.Await(absl::Condition(&ready));
  if (is_broken_off_) return std::nullopt;
  Notification next = std::move(waiting_.front());
  waiting_.pop_front();
  is_sending_ = true;
  return next;
}

void NotificationQueue::Deliver(const Notification& notification) {
  Backoff backoff(options_.pause_first, options_.pause_max, &random_);
  for (uint32_t tries = 1;; ++tries) {
    const absl::Status status = sender_->Send(notification);
    if (status.ok()) {
      log::Info("notification sent", {{"tries", tries}});
      absl::MutexLock lock(&mu_);
      ++counts_.sent;
      return;
    }
    if (absl::IsInvalidArgument(status) || absl::IsCancelled(status) ||
        tries >= options_.tries_max) {
      return GiveUp(status, tries);
    }
    const absl::Duration pause = backoff.Next();
    log::Warning("a notification was not taken; trying again",
                 {{"reason", status.message()}, {"wait", absl::FormatDuration(pause)}});
    if (!WaitFor(pause)) return GiveUp(status, tries);
  }
}

bool NotificationQueue::WaitFor(absl::Duration pause) {
  absl::MutexLock lock(&mu_);
  return !changed_.AwaitFor(&mu_, pause,
                            [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_broken_off_; });
}

void NotificationQueue::GiveUp(const absl::Status& status, uint32_t tries) {
  uint64_t given_up = 0;
  {
    absl::MutexLock lock(&mu_);
    given_up = ++counts_.given_up;
  }
  log::Error("a notification is given up",
             {{"reason", status.message()}, {"tries", tries}, {"given_up", given_up}});
}

}  // namespace entente::notify
