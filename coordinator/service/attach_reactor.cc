// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/attach_reactor.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/config/proto_time.h"
#include "common/rpc/status_conversion.h"
#include "coordinator/service/worker_message.h"

namespace entente::service {

AttachReactor::AttachReactor(const ServiceContext& context, CallerCheck::AdmittedWorker worker)
    : context_(context), worker_(std::move(worker)), last_heard_at_(context.clock->Now()) {}

AttachReactor* AttachReactor::Start(const ServiceContext& context,
                                    absl::StatusOr<CallerCheck::AdmittedWorker> worker) {
  const absl::Status status = worker.status();
  std::shared_ptr<AttachReactor> reactor(
      new AttachReactor(context, worker.ok() ? *std::move(worker) : CallerCheck::AdmittedWorker{}));
  reactor->self_ = reactor;
  if (!status.ok()) {
    reactor->FinishOnce(status);
    return reactor.get();
  }
  reactor->ArmHeartbeat();  // Bounds the wait for the Hello, too.
  reactor->StartRead(&reactor->incoming_);
  return reactor.get();
}

void AttachReactor::Send(const v1::CoordinatorMessage& message) {
  const v1::CoordinatorMessage* next = nullptr;
  bool overflow = false;
  {
    absl::MutexLock lock(&mu_);
    if (finished_ || closing_.has_value()) return;
    overflow = outgoing_.size() >= static_cast<size_t>(limits::kControlQueueMessagesMax);
    if (!overflow) {
      outgoing_.push_back(message);
      if (!std::exchange(writing_, true)) next = &outgoing_.front();
    }
  }
  if (overflow) {
    Close(absl::ResourceExhaustedError("the worker does not read its messages"));
  } else if (next != nullptr) {
    StartWrite(next);
  }
}

void AttachReactor::Close(const absl::Status& status) {
  bool write_now = false;
  const v1::CoordinatorMessage* next = nullptr;
  {
    absl::MutexLock lock(&mu_);
    if (finished_ || closing_.has_value()) return;
    closing_ = status;
    v1::CoordinatorMessage goodbye;
    goodbye.mutable_goodbye()->set_reason(std::string(status.message()));
    outgoing_.push_back(std::move(goodbye));
    write_now = !std::exchange(writing_, true);
    next = &outgoing_.front();
  }
  if (write_now) StartWrite(next);
}

void AttachReactor::OnWriteDone(bool ok) {
  const v1::CoordinatorMessage* next = nullptr;
  std::optional<absl::Status> closing;
  {
    absl::MutexLock lock(&mu_);
    outgoing_.pop_front();
    if (!ok) outgoing_.clear();
    if (outgoing_.empty()) {
      writing_ = false;
      closing = closing_;
    } else {
      next = &outgoing_.front();
    }
  }
  if (!ok) return FinishOnce(absl::CancelledError("the worker has gone"));
  if (next != nullptr) return StartWrite(next);
  if (closing.has_value()) FinishOnce(*closing);
}

void AttachReactor::OnReadDone(bool ok) {
  if (!ok) {
    bool writing = false;
    {
      absl::MutexLock lock(&mu_);
      writing = writing_;
      if (writing && !closing_.has_value()) closing_ = absl::OkStatus();
    }
    // With a write in flight its end finishes the stream: gRPC wants the two in that order.
    if (!writing) FinishOnce(absl::OkStatus());
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    last_heard_at_ = context_.clock->Now();
  }
  OnMessage();
}

void AttachReactor::OnMessage() {
  absl::Status status = absl::OkStatus();
  if (!greeted_) {
    status = incoming_.has_hello() ? OnHello(incoming_.hello())
                                   : absl::InvalidArgumentError("the first message must be Hello");
    greeted_ = status.ok();
  } else if (incoming_.has_goodbye()) {
    context_.workers->Detach(
        worker_.id, this,
        absl::StrCat("left: ", incoming_.goodbye().reason().substr(0, limits::kReasonBytesMax)));
  } else {
    context_.workers->Heard(worker_.id);
    status = DispatchWorkerMessage(context_, worker_.id, incoming_);
  }
  if (!status.ok()) return Close(status);
  StartRead(&incoming_);
}

absl::Status AttachReactor::OnHello(const v1::Hello& hello) {
  if (absl::Status status = CheckHello(hello); !status.ok()) {
    log::Warning("worker refused",
                 {{"worker", worker_.id.value()}, {"reason", std::string(status.message())}});
    return status;
  }
  v1::CoordinatorMessage message;
  v1::Welcome* const welcome = message.mutable_welcome();
  welcome->set_protocol_version(limits::kProtocolVersion);
  welcome->set_version(context_.version);
  *welcome->mutable_heartbeat_interval() = ToProto(context_.heartbeat_interval);
  welcome->set_worker_id(worker_.id.value());
  Send(message);  // Before Attach: a task must not overtake it.
  members::WorkerDescription description{
      .version = hello.version(),
      .datasets = {hello.datasets().begin(), hello.datasets().end()},
      .sandbox = hello.sandbox(),
      .certificate_expires_at = worker_.identity.expires_at};
  const absl::Status attached =
      context_.workers->Attach(worker_.id, std::move(description), shared_from_this());
  if (attached.ok()) {
    log::Info("worker attached", {{"worker", worker_.id.value()},
                                  {"version", hello.version()},
                                  {"sandbox", hello.sandbox()}});
    if (hello.sandbox() == "none") {
      log::Warning("this worker runs its trainer without a sandbox",
                   {{"worker", worker_.id.value()}});
    }
  }
  return attached;
}

void AttachReactor::ArmHeartbeat() {
  context_.timers->RunAt(context_.clock->Now() + context_.heartbeat_interval,
                         [weak = weak_from_this()] {
                           if (const auto strong = weak.lock()) strong->OnHeartbeatDue();
                         });
}

void AttachReactor::OnHeartbeatDue() {
  absl::Duration silence;
  {
    absl::MutexLock lock(&mu_);
    if (finished_) return;
    silence = context_.clock->Now() - last_heard_at_;
  }
  if (silence > 3 * context_.heartbeat_interval) {
    const std::string reason =
        absl::StrCat("silent for ", absl::FormatDuration(absl::Trunc(silence, absl::Seconds(1))));
    context_.workers->Detach(worker_.id, this, reason);
    log::Warning("worker silent", {{"worker", worker_.id.value()}, {"reason", reason}});
    return Close(absl::DeadlineExceededError(absl::StrCat("the worker was ", reason)));
  }
  v1::CoordinatorMessage heartbeat;
  heartbeat.mutable_heartbeat();
  Send(heartbeat);
  ArmHeartbeat();
}

void AttachReactor::FinishOnce(const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(finished_, true)) return;
  }
  Finish(ToGrpcStatus(status));
}

void AttachReactor::OnDone() {
  if (greeted_) {
    context_.workers->Detach(worker_.id, this, "the connection ended");
    log::Info("worker detached", {{"worker", worker_.id.value()}});
  }
  self_.reset();
}

}  // namespace entente::service
