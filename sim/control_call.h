// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_CONTROL_CALL_H_
#define SIM_CONTROL_CALL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "coordinator/members/worker_registry.h"
#include "sim/calls.h"

namespace entente::sim {

// A worker's control stream at the coordinator: see coordinator/service/attach_reactor.
class ControlCall final : public Call,
                          public members::WorkerConnection,
                          public std::enable_shared_from_this<ControlCall> {
 public:
  ControlCall(const CallContext& context, int machine, WorkerId worker,
              std::unique_ptr<Stream> stream, std::function<void()> on_over);

  void Start();

  void Send(const v1::CoordinatorMessage& message) override;
  void Close(const absl::Status& status) override;

 private:
  void OnMessage(const std::string& text);
  absl::Status Take(const v1::WorkerMessage& message);
  absl::Status Greet(const v1::Hello& hello);
  void OnHeartbeatDue();
  void ArmHeartbeat();
  void Finish(const absl::Status& status);

  const CallContext context_;
  const int machine_;
  const WorkerId worker_;
  const std::unique_ptr<Stream> stream_;
  const std::function<void()> on_over_;
  absl::Time last_heard_at_;
  bool is_greeted_ = false;
  bool is_over_ = false;
};

}  // namespace entente::sim

#endif  // SIM_CONTROL_CALL_H_
