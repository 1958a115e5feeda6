// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_ATTACH_REACTOR_H_
#define COORDINATOR_SERVICE_ATTACH_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/service/caller.h"
#include "coordinator/service/service_context.h"
#include "entente/v1/worker_service.pb.h"

namespace entente::service {

// One worker's control stream, from its Hello to its end. No thread waits for it: reads, writes and
// heartbeats are callbacks.
//
// Keeps itself alive until gRPC is done with it; the registry may hold it longer.
class AttachReactor final
    : public grpc::ServerBidiReactor<v1::WorkerMessage, v1::CoordinatorMessage>,
      public members::WorkerConnection,
      public std::enable_shared_from_this<AttachReactor> {
 public:
  // Ends at once if the worker was not admitted.
  static AttachReactor* Start(const ServiceContext& context, grpc::CallbackServerContext* call,
                              absl::StatusOr<CallerCheck::AdmittedWorker> worker);

  // WorkerConnection. Close says goodbye; a worker that does not take even that is cut off a
  // heartbeat later.
  void Send(const v1::CoordinatorMessage& message) override ABSL_LOCKS_EXCLUDED(mu_);
  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mu_);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  AttachReactor(const ServiceContext& context, grpc::CallbackServerContext* call,
                CallerCheck::AdmittedWorker worker);

  void OnMessage();
  // Not while limits::kWorkerMessagesMax messages are not dealt with: the flow control of the
  // stream then slows the worker down.
  void ReadNext() ABSL_LOCKS_EXCLUDED(mu_);
  // On any thread: the jobs have dealt with one message; reads on if that was waited for.
  void OnDealtWith() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnHello(const v1::Hello& hello);
  // That `incoming_`, the first message, led to nothing.
  void NoteRefused(const absl::Status& status);
  void ArmHeartbeat();
  void OnHeartbeatDue() ABSL_LOCKS_EXCLUDED(mu_);
  // Whoever sets closing_ calls it after: a peer that takes nothing would hold on to the stream.
  void ArmCutOff();
  // Ends the stream though writes are stuck.
  void CutOff() ABSL_LOCKS_EXCLUDED(mu_);
  // Whether the caller is the one to call Finish(), after it has let go of the lock. No write may
  // begin once it is true, so "nobody is writing" must have been seen under the same lock. Nor may
  // a read, unless on gRPC's own thread, in OnReadDone.
  bool TakeFinish(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends a hold.
  void LetGo() ABSL_LOCKS_EXCLUDED(mu_);

  const ServiceContext context_;
  grpc::CallbackServerContext& call_;  // gRPC's, until OnDone.
  const CallerCheck::AdmittedWorker worker_;
  std::shared_ptr<AttachReactor> self_;  // From Start until OnDone.
  v1::WorkerMessage incoming_;           // gRPC writes it while a read is in flight.
  bool greeted_ = false;                 // Reads follow one another: no lock.

  absl::Mutex mu_;
  std::deque<v1::CoordinatorMessage> outgoing_ ABSL_GUARDED_BY(mu_);  // The first is in flight.
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  bool is_cut_off_ ABSL_GUARDED_BY(mu_) = false;
  // Threads that are about to use the call or are in it; it ends after Finish, so that waits.
  int holds_ ABSL_GUARDED_BY(mu_) = 0;
  // What the last hold is to finish with, since it was in the way.
  std::optional<absl::Status> finish_after_holds_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mu_);  // Finish once everything is written.
  absl::Time last_heard_at_ ABSL_GUARDED_BY(mu_);
  int messages_in_work_ ABSL_GUARDED_BY(mu_) = 0;  // Not dealt with yet.
  bool read_waits_ ABSL_GUARDED_BY(mu_) = false;   // For one of them.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_ATTACH_REACTOR_H_
