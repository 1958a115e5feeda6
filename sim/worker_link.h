// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_WORKER_LINK_H_
#define SIM_WORKER_LINK_H_

// A worker's tie to the coordinator over the simulated network: what worker/session/
// coordinator_link does over gRPC, with its SilenceWatch and its pauses between tries.

#include <memory>
#include <optional>
#include <string>

#include "common/base/retry.h"
#include "sim/machine.h"
#include "sim/network.h"
#include "sim/trace.h"
#include "worker/session/control_sender.h"
#include "worker/session/silence_watch.h"
#include "worker/session/task_listener.h"

namespace entente::sim {

class WorkerLink final : public worker::ControlSender {
 public:
  // Borrowed; all must outlive it.
  struct Dependencies {
    Scheduler* scheduler = nullptr;
    Network* network = nullptr;
    Process* process = nullptr;
    Trace* trace = nullptr;
    int machine = 0;
  };

  WorkerLink(const Dependencies& dependencies, v1::Hello hello);

  // Begins to dial; `listener` is borrowed.
  void Start(worker::TaskListener* listener);

  // Nothing is said or heard any more.
  void HangUp() { stream_.reset(); }

  // Dropped unless attached.
  void Send(v1::WorkerMessage message) override;

 private:
  void Dial();
  void OnMessage(const std::string& text);
  void Lose();
  void ArmSilenceWatch();
  // Runs on this stream only, and while the process lives.
  void PostAfter(absl::Duration pause, std::function<void()> task);

  const Dependencies deps_;
  const v1::Hello hello_;
  Backoff backoff_;
  worker::TaskListener* listener_ = nullptr;
  std::unique_ptr<Stream> stream_;  // Null between tries.
  uint64_t streams_ = 0;            // Opened so far.
  bool is_attached_ = false;
  absl::Time attached_at_ = absl::InfiniteFuture();  // Of the last stream; if it never was, that.
  std::optional<worker::SilenceWatch> silence_;
};

}  // namespace entente::sim

#endif  // SIM_WORKER_LINK_H_
