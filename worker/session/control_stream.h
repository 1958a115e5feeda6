// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_CONTROL_STREAM_H_
#define WORKER_SESSION_CONTROL_STREAM_H_

#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "entente/v1/worker_service.grpc.pb.h"

namespace entente::worker {

// One Attach call: messages out through a bounded queue, messages in through a callback.
// Thread-safe.
class ControlStream final
    : private grpc::ClientBidiReactor<v1::WorkerMessage, v1::CoordinatorMessage> {
 public:
  // Called on gRPC's threads, one at a time, without a lock held: must not block.
  struct Callbacks {
    std::function<void(v1::CoordinatorMessage)> on_message;
    std::function<void(const absl::Status&)> on_done;  // The last one; always comes.
  };

  // Opens the stream. It keeps itself alive until on_done has returned, so whoever calls may let
  // go of it at any time; what the callbacks touch must live until then.
  //
  // The stub's channel must live until on_done is called: a channel that loses its last reference
  // on one of gRPC's own threads makes gRPC 1.51 join that thread from itself.
  static std::shared_ptr<ControlStream> Open(v1::WorkerService::Stub* stub, Callbacks callbacks);

  // False if the stream is over, or so slow that limits::kControlQueueMessagesMax messages wait:
  // then it is cut off.
  bool Send(v1::WorkerMessage message) ABSL_LOCKS_EXCLUDED(mu_);

  // Closes our side once everything queued is written.
  void FinishSending() ABSL_LOCKS_EXCLUDED(mu_);

  // Does nothing once the stream is over.
  void Cancel() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit ControlStream(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone(const grpc::Status& status) override ABSL_LOCKS_EXCLUDED(mu_);

  // Starts the next write if there is one. gRPC never calls back on the stack of a Start call, so
  // this is safe under the lock, and must be: no write may start after RemoveHold.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Callbacks callbacks_;
  v1::CoordinatorMessage incoming_;            // gRPC's while a read is outstanding.
  std::shared_ptr<ControlStream> keep_alive_;  // Itself, until OnDone.

  absl::Mutex mu_;
  // Holds on to the channel; gone before on_done is called, and null from then on.
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mu_) =
      std::make_unique<grpc::ClientContext>();
  std::deque<v1::WorkerMessage> queue_ ABSL_GUARDED_BY(mu_);  // The front is being written.
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finishing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_CONTROL_STREAM_H_
