// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_WATCH_REACTOR_H_
#define COORDINATOR_SERVICE_WATCH_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/service/service_context.h"
#include "entente/v1/job.pb.h"

namespace entente::service {

// Follows one job: writes it at once, then after changes, at most five times a second, and ends
// with the job, or when the coordinator stops. A reader that lags sees fewer, newer states: nothing
// is queued for it.
//
// Keeps itself alive until gRPC is done with it.
class WatchReactor final : public grpc::ServerWriteReactor<v1::Job>,
                           public std::enable_shared_from_this<WatchReactor> {
 public:
  // Ends at once with `status` if that is an error; `job` may then be null.
  static WatchReactor* Start(const ServiceContext& context, std::shared_ptr<engine::JobEngine> job,
                             const absl::Status& status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchReactor(const ServiceContext& context, std::shared_ptr<engine::JobEngine> job);
  void OnChange() ABSL_LOCKS_EXCLUDED(mu_);
  void End(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);
  void MaybeWrite() ABSL_LOCKS_EXCLUDED(mu_);

  const ServiceContext context_;
  const std::shared_ptr<engine::JobEngine> job_;
  std::shared_ptr<WatchReactor> self_;  // From Start until OnDone.
  uint64_t watch_ = 0;                  // Set by Start, as is the next.
  uint64_t open_watch_ = 0;             // Among the context's watches.
  v1::Job message_;                     // gRPC reads it while a write is in flight.

  absl::Mutex mu_;
  bool changed_ ABSL_GUARDED_BY(mu_) = true;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool timer_armed_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status ended_ ABSL_GUARDED_BY(mu_);  // Why it ends before the job does.
  bool last_written_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_WATCH_REACTOR_H_
