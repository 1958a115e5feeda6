// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_NOTIFICATION_QUEUE_H_
#define COORDINATOR_NOTIFY_NOTIFICATION_QUEUE_H_

// What one receiver is still to be told, and the thread that tells it, in order. Who adds never
// waits: if the receiver is slower than what happens, the oldest of those that wait are dropped,
// for the newest say how things stand now.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/base/random_source.h"
#include "common/base/steady_cond_var.h"
#include "coordinator/notify/notification_sender.h"

namespace entente::notify {

// Thread-safe.
class NotificationQueue {
 public:
  struct Options {
    uint32_t tries_max = 8;  // Of one notification; then it is given up.
    size_t waiting_max = limits::kNotificationsWaitingMax;
    // Pauses between tries: exponential, with jitter.
    absl::Duration pause_first = absl::Seconds(1);
    absl::Duration pause_max = absl::Minutes(5);
  };

  // How many became what, since the start.
  struct Counts {
    uint64_t sent = 0;
    uint64_t given_up = 0;  // Tried in vain.
    uint64_t dropped = 0;   // Never tried: too many waited, or a stop came first.
  };

  // `random` is borrowed.
  NotificationQueue(std::unique_ptr<NotificationSender> sender, const Options& options,
                    RandomSource* random);

  // As Stop(0).
  ~NotificationQueue();

  // Never waits for the receiver. After Stop it is dropped.
  void Add(Notification notification) ABSL_LOCKS_EXCLUDED(mu_);

  // Sends what still waits for at most `limit`, then breaks off. Nothing is sent after it returned.
  void Stop(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

  Counts counts() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the next one; nothing: it is over.
  std::optional<Notification> Take() ABSL_LOCKS_EXCLUDED(mu_);
  void Deliver(const Notification& notification) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether there was time to wait that long.
  bool WaitFor(absl::Duration pause) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveUp(const absl::Status& status, uint32_t tries) ABSL_LOCKS_EXCLUDED(mu_);

  const std::unique_ptr<NotificationSender> sender_;
  const Options options_;
  RandomSource& random_;

  mutable absl::Mutex mu_;
  SteadyCondVar changed_;  // Whether it is idle, or broken off.
  std::deque<Notification> waiting_ ABSL_GUARDED_BY(mu_);
  Counts counts_ ABSL_GUARDED_BY(mu_);
  bool is_sending_ ABSL_GUARDED_BY(mu_) = false;
  bool takes_more_ ABSL_GUARDED_BY(mu_) = true;
  bool is_broken_off_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // Last: it uses the others. Joined by Stop.
};

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_NOTIFICATION_QUEUE_H_
