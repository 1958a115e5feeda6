// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_NOTIFY_NOTIFIER_H_
#define COORDINATOR_NOTIFY_NOTIFIER_H_

// Makes notifications of what happens to jobs and workers, and hands them to every receiver's
// queue. It only listens: what it is called for never waits for it.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/random_source.h"
#include "common/base/timers.h"
#include "coordinator/engine/job_change.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/notify/notification.h"
#include "coordinator/notify/notification_queue.h"

namespace entente::notify {

// Thread-safe. Timers in flight keep it alive, hence shared_ptr.
class Notifier : public std::enable_shared_from_this<Notifier> {
 public:
  // Borrowed; all must outlive this.
  struct Dependencies {
    const Clock* clock = nullptr;         // Wall time.
    const Clock* steady_clock = nullptr;  // What `pauses` go by.
    RandomSource* random = nullptr;
    Timers* pauses = nullptr;  // By steady time; see common/base/timers.h.
    const members::WorkerRegistry* workers = nullptr;
  };
  struct Options {
    std::set<Event> events;  // The others are nobody's news.
    // How long a worker is not attached before it is gone.
    absl::Duration worker_gone_after = absl::Minutes(1);
  };

  static std::shared_ptr<Notifier> Create(const Dependencies& dependencies, Options options,
                                          std::vector<std::unique_ptr<NotificationQueue>> queues);

  // An engine::JobObserver.
  void OnJobChange(const engine::JobChange& change);

  // A members::WorkerRegistry::Listener. A worker that has said that it is away may go without a
  // word.
  void OnWorker(const WorkerId& worker, bool attached) ABSL_LOCKS_EXCLUDED(mu_);

  // From now on it is the coordinator that leaves, not its workers.
  void IgnoreWorkers() ABSL_LOCKS_EXCLUDED(mu_);

  // Sends what still waits for at most `limit` in all; see NotificationQueue::Stop.
  void Stop(absl::Duration limit);

 private:
  Notifier(const Dependencies& dependencies, Options options,
           std::vector<std::unique_ptr<NotificationQueue>> queues);

  void Tell(Notification notification);
  void TellGone(const WorkerId& worker, uint64_t departure) ABSL_LOCKS_EXCLUDED(mu_);

  const Dependencies deps_;
  const Options options_;
  const std::vector<std::unique_ptr<NotificationQueue>> queues_;

  absl::Mutex mu_;
  // Counts each worker's coming and going: it is gone if nothing was added since it went.
  std::map<WorkerId, uint64_t> moves_ ABSL_GUARDED_BY(mu_);
  bool ignores_workers_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace entente::notify

#endif  // COORDINATOR_NOTIFY_NOTIFIER_H_
