// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_COORDINATOR_LINK_H_
#define WORKER_SESSION_COORDINATOR_LINK_H_

// The worker's tie to the coordinator: dials, attaches, heartbeats, and dials again for ever.
//
//              Hello sent          Welcome            lost, silent, Goodbye
//   dialing ------------> greeting --------> attached -----------------------> waiting --> dialing
//                             |                                                   ^
//                             +---- refused, unreachable, no answer --------------+
//
// Why it cannot attach is logged in one plain sentence, again only when it changes or after a
// while.

#include <grpcpp/channel.h>

#include <functional>
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
#include "entente/v1/worker_service.grpc.pb.h"
#include "worker/session/control_sender.h"
#include "worker/session/control_stream.h"
#include "worker/session/silence_watch.h"
#include "worker/session/task_listener.h"

namespace entente::worker {

struct CoordinatorLinkOptions {
  std::string coordinator;  // host:port, for messages.
  v1::Hello hello;
  // Adds what may have changed since to a Hello that is about to be sent. Null: nothing has.
  std::function<void(v1::Hello*)> complete_hello = nullptr;
  // Called after every Welcome, on gRPC's threads: must not block. Null: nobody listens.
  std::function<void()> on_attached = nullptr;
  absl::Duration welcome_wait = absl::Seconds(20);
  // After a stream that lasted so long the pauses between tries are short again.
  absl::Duration stable_time = limits::kStreamStableTime;
  // How long the last words of a stream may take to be sent.
  absl::Duration hang_up_wait = absl::Seconds(1);
  // Says why the coordinator cannot be reached, OK if it can: ProbeConnection. Blocks.
  std::function<absl::Status()> explain;
};

// FAILED_PRECONDITION if the coordinator speaks another protocol, naming both and which version to
// install.
absl::Status CheckWelcome(const v1::Welcome& welcome);

// Thread-safe.
class CoordinatorLink final : public ControlSender {
 public:
  // `random` is borrowed.
  CoordinatorLink(std::shared_ptr<grpc::Channel> channel, RandomSource* random,
                  CoordinatorLinkOptions options);

  // Stops at once if it was not stopped.
  ~CoordinatorLink() override;

  // Begins to dial; `listener` is borrowed until Stop has returned. Once.
  void Start(TaskListener* listener);

  // Dropped unless attached, and if the coordinator is too old to know such a message.
  void Send(v1::WorkerMessage message) override ABSL_LOCKS_EXCLUDED(mu_);

  bool is_attached() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return is_attached_;
  }

  // Says Goodbye if attached, waits hang_up_wait at most for it to be sent, and hangs up. Once it
  // has returned the listener hears nothing any more.
  void Stop(const std::string& reason) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // One stream from dial to end; returns why it ended.
  absl::Status RunStream() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Greet() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status StayAttached() ABSL_LOCKS_EXCLUDED(mu_);
  void SayGoodbye() ABSL_LOCKS_EXCLUDED(mu_);
  // Sends what is queued and waits, hang_up_wait at most, for the stream to end.
  void FinishStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void HandleMessage(v1::CoordinatorMessage message) ABSL_LOCKS_EXCLUDED(mu_);
  void HandleWelcome(const v1::Welcome& welcome) ABSL_LOCKS_EXCLUDED(mu_);
  void HandleDone(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // The sentence for a person.
  std::string Explain(const absl::Status& status) const;
  void Complain(const std::string& sentence);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  RandomSource& random_;
  const CoordinatorLinkOptions options_;
  TaskListener* listener_ = nullptr;  // Set once by Start.

  // The link's thread alone.
  std::string last_complaint_;
  absl::Time last_complaint_at_ = absl::InfinitePast();
  absl::Time attached_at_ = absl::InfiniteFuture();  // Of the last stream; if it never was, that.

  absl::Mutex mu_;
  SteadyCondVar changed_;  // Whether it is attached, a misfit, done or stopping.
  // Shared with gRPC's reactions until its OnDone; null between streams.
  std::shared_ptr<ControlStream> stream_ ABSL_GUARDED_BY(mu_);
  bool is_attached_ ABSL_GUARDED_BY(mu_) = false;
  uint32_t peer_minor_ ABSL_GUARDED_BY(mu_) = 0;  // Of the protocol, as its Welcome said.
  absl::Status misfit_ ABSL_GUARDED_BY(mu_);      // Not OK: it speaks another protocol.
  bool is_done_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status end_status_ ABSL_GUARDED_BY(mu_);
  absl::Duration heartbeat_interval_ ABSL_GUARDED_BY(mu_);
  std::optional<SilenceWatch> silence_ ABSL_GUARDED_BY(mu_);  // Since the Welcome.
  std::string goodbye_ ABSL_GUARDED_BY(mu_);  // What the coordinator said on leaving.
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::string stop_reason_ ABSL_GUARDED_BY(mu_);

  std::thread thread_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_COORDINATOR_LINK_H_
