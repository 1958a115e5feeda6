// SPDX-License-Identifier: Apache-2.0
#include "sim/control_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "coordinator/service/worker_message.h"
#include "sim/message_text.h"

namespace entente::sim {

ControlCall::ControlCall(const CallContext& context, int machine, WorkerId worker,
                         std::unique_ptr<Stream> stream, std::function<void()> on_over)
    : context_(context),
      machine_(machine),
      worker_(std::move(worker)),
      stream_(std::move(stream)),
      on_over_(std::move(on_over)),
      last_heard_at_(context.service->steady_clock->Now()) {}

void ControlCall::Start() {
  stream_->Listen({.on_message =
                       [this](const std::string& message) {
                         const auto self = shared_from_this();
                         OnMessage(message);
                       },
                   .on_end =
                       [this](const absl::Status& status) {
                         const auto self = shared_from_this();
                         Finish(status);
                       }});
  ArmHeartbeat();
}

void ControlCall::Send(const v1::CoordinatorMessage& message) {
  if (is_over_ || !context_.process->alive()) return;
  stream_->Send(message.SerializeAsString());
}

void ControlCall::Close(const absl::Status& status) {
  if (is_over_) return;
  v1::CoordinatorMessage goodbye;
  goodbye.mutable_goodbye()->set_reason(std::string(status.message()));
  Send(goodbye);
  Finish(status);
}

void ControlCall::OnMessage(const std::string& text) {
  if (is_over_ || !context_.process->alive()) return;
  last_heard_at_ = context_.service->steady_clock->Now();
  v1::WorkerMessage message;
  if (!message.ParseFromString(text)) return Close(absl::InvalidArgumentError("not a message"));
  if (context_.trace->kept() && !message.has_heartbeat()) {
    context_.trace->Arrow(machine_, 0, MessageText(message));
  }
  const absl::Status status = Take(message);
  if (!status.ok()) Close(status);
}

absl::Status ControlCall::Take(const v1::WorkerMessage& message) {
  if (!is_greeted_) {
    if (!message.has_hello()) return absl::InvalidArgumentError("the first message must be Hello");
    is_greeted_ = true;
    return Greet(message.hello());
  }
  members::WorkerRegistry& workers = *context_.service->workers;
  if (message.has_goodbye()) {
    workers.Detach(worker_, this, absl::StrCat("left: ", message.goodbye().reason()));
    return absl::OkStatus();
  }
  workers.Heard(worker_);
  return service::DispatchWorkerMessage(*context_.service, {.id = worker_, .connection = this},
                                        message, [] {});
}

absl::Status ControlCall::Greet(const v1::Hello& hello) {
  if (absl::Status status = service::CheckHello(hello, "simulated"); !status.ok()) return status;
  v1::CoordinatorMessage message;
  v1::Welcome* const welcome = message.mutable_welcome();
  welcome->set_protocol_version(limits::kProtocolVersion);
  welcome->set_protocol_minor(limits::kProtocolMinor);
  *welcome->mutable_heartbeat_interval() = ToProto(context_.service->heartbeat_interval);
  welcome->set_worker_id(worker_.value());
  Send(message);  // Before Attach: a task must not overtake it.
  return context_.service->workers->Attach(
      worker_, service::DescriptionOf(hello, absl::InfiniteFuture()), shared_from_this());
}

void ControlCall::ArmHeartbeat() {
  context_.service->pauses->RunAt(
      context_.service->steady_clock->Now() + context_.service->heartbeat_interval,
      [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->OnHeartbeatDue();
      });
}

void ControlCall::OnHeartbeatDue() {
  if (is_over_) return;
  const absl::Duration silence = context_.service->steady_clock->Now() - last_heard_at_;
  if (silence > 3 * context_.service->heartbeat_interval) {
    context_.service->workers->Detach(worker_, this, "silent");
    return Close(absl::DeadlineExceededError("the worker was silent"));
  }
  v1::CoordinatorMessage heartbeat;
  heartbeat.mutable_heartbeat();
  Send(heartbeat);
  ArmHeartbeat();
}

void ControlCall::Finish(const absl::Status& status) {
  if (std::exchange(is_over_, true)) return;
  if (!context_.process->alive()) return;
  stream_->End(status);
  if (is_greeted_) context_.service->workers->Detach(worker_, this, "the connection ended");
  on_over_();
}

}  // namespace entente::sim
