// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/attach_reactor.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/config/proto_time.h"
#include "common/rpc/status_conversion.h"
#include "coordinator/service/worker_message.h"

namespace entente::service {
namespace {

constexpr size_t kVersionShownBytesMax = 100;  // A refused Hello may hold any.

}  // namespace

AttachReactor::AttachReactor(const ServiceContext& context, grpc::CallbackServerContext* call,
                             CallerCheck::AdmittedWorker worker)
    : context_(context),
      call_(*call),
      worker_(std::move(worker)),
      last_heard_at_(context.steady_clock->Now()) {}

AttachReactor* AttachReactor::Start(const ServiceContext& context,
                                    grpc::CallbackServerContext* call,
                                    absl::StatusOr<CallerCheck::AdmittedWorker> worker) {
  const absl::Status status = worker.status();
  std::shared_ptr<AttachReactor> reactor(new AttachReactor(
      context, call, worker.ok() ? *std::move(worker) : CallerCheck::AdmittedWorker{}));
  reactor->self_ = reactor;
  if (!status.ok()) {
    AttachReactor* const raw = reactor.get();
    {
      absl::MutexLock lock(&raw->mu_);
      raw->finished_ = true;
    }
    raw->Finish(ToGrpcStatus(status));
    return raw;
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
    constexpr char kReason[] = "the worker does not read its messages";
    context_.workers->Detach(worker_.id, this, kReason);
    Close(absl::ResourceExhaustedError(kReason));
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
  ArmCutOff();
}

void AttachReactor::OnWriteDone(bool ok) {
  const v1::CoordinatorMessage* next = nullptr;
  std::optional<absl::Status> finish;
  {
    absl::MutexLock lock(&mu_);
    outgoing_.pop_front();
    if (!ok) outgoing_.clear();
    if (!outgoing_.empty()) {
      next = &outgoing_.front();
    } else {
      writing_ = false;
      if (!ok) finish = absl::CancelledError("the worker has gone");
      if (ok && closing_.has_value()) finish = closing_;
      if (finish.has_value() && !TakeFinish(*finish)) finish.reset();
    }
  }
  if (next != nullptr) return StartWrite(next);
  if (finish.has_value()) Finish(ToGrpcStatus(*finish));
}

void AttachReactor::OnReadDone(bool ok) {
  if (ok) {
    {
      absl::MutexLock lock(&mu_);
      last_heard_at_ = context_.steady_clock->Now();
    }
    return OnMessage();
  }
  bool is_writing = false;
  {
    absl::MutexLock lock(&mu_);
    is_writing = writing_;
    if (is_writing) {
      if (closing_.has_value()) return;
      // The end of the write finishes the stream: gRPC wants the two in that order.
      closing_ = absl::OkStatus();
    } else if (!TakeFinish(absl::OkStatus())) {
      return;
    }
  }
  if (is_writing) return ArmCutOff();
  Finish(grpc::Status::OK);
}

void AttachReactor::OnMessage() {
  absl::Status status = absl::OkStatus();
  if (!greeted_) {
    status = incoming_.has_hello() ? OnHello(incoming_.hello())
                                   : absl::InvalidArgumentError("the first message must be Hello");
    greeted_ = status.ok();
    if (!greeted_) NoteRefused(status);
  } else if (incoming_.has_goodbye()) {
    context_.workers->Detach(
        worker_.id, this,
        absl::StrCat("left: ", ClipUtf8(incoming_.goodbye().reason(), limits::kReasonBytesMax)));
  } else {
    context_.workers->Heard(worker_.id);
    {
      absl::MutexLock lock(&mu_);
      ++messages_in_work_;
    }
    status =
        DispatchWorkerMessage(context_, {worker_.id, this}, incoming_, [weak = weak_from_this()] {
          if (const auto strong = weak.lock()) strong->OnDealtWith();
        });
  }
  if (!status.ok()) return Close(status);
  ReadNext();
}

void AttachReactor::ReadNext() {
  {
    absl::MutexLock lock(&mu_);
    read_waits_ = messages_in_work_ >= limits::kWorkerMessagesMax;
    if (read_waits_) return;
  }
  StartRead(&incoming_);
}

void AttachReactor::OnDealtWith() {
  {
    absl::MutexLock lock(&mu_);
    --messages_in_work_;
    if (!std::exchange(read_waits_, false) || finished_) return;
    last_heard_at_ = context_.steady_clock->Now();  // What it said meanwhile is only read now.
    ++holds_;
  }
  StartRead(&incoming_);
  LetGo();
}

void AttachReactor::NoteRefused(const absl::Status& status) {
  const std::string reason(status.message());
  log::Warning("worker refused", {{"worker", worker_.id.value()}, {"reason", reason}});
  context_.workers->NoteRefused(
      worker_.id,
      {.reason = reason,
       .version = std::string(ClipUtf8(incoming_.hello().version(), kVersionShownBytesMax)),
       .certificate_expires_at = worker_.identity.expires_at});
}

absl::Status AttachReactor::OnHello(const v1::Hello& hello) {
  if (absl::Status status = CheckHello(hello, context_.version); !status.ok()) return status;
  v1::CoordinatorMessage message;
  v1::Welcome* const welcome = message.mutable_welcome();
  welcome->set_protocol_version(limits::kProtocolVersion);
  welcome->set_protocol_minor(limits::kProtocolMinor);
  welcome->set_version(context_.version);
  *welcome->mutable_heartbeat_interval() = ToProto(context_.heartbeat_interval);
  welcome->set_worker_id(worker_.id.value());
  Send(message);  // Before Attach: a task must not overtake it.
  const absl::Status attached = context_.workers->Attach(
      worker_.id, DescriptionOf(hello, worker_.identity.expires_at), shared_from_this());
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
  context_.pauses->RunAt(context_.steady_clock->Now() + context_.heartbeat_interval,
                         [weak = weak_from_this()] {
                           if (const auto strong = weak.lock()) strong->OnHeartbeatDue();
                         });
}

void AttachReactor::OnHeartbeatDue() {
  absl::Duration silence;
  {
    absl::MutexLock lock(&mu_);
    if (finished_) return;
    // Who is not listened to is not silent.
    silence = read_waits_ ? absl::ZeroDuration() : context_.steady_clock->Now() - last_heard_at_;
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

void AttachReactor::ArmCutOff() {
  context_.pauses->RunAt(context_.steady_clock->Now() + context_.heartbeat_interval,
                         [weak = weak_from_this(), executor = context_.executor] {
                           executor->Post([weak] {
                             if (const auto strong = weak.lock()) strong->CutOff();
                           });
                         });
}

bool AttachReactor::TakeFinish(const absl::Status& status) {
  if (std::exchange(finished_, true)) return false;
  if (holds_ > 0) finish_after_holds_ = status;
  return holds_ == 0;
}

void AttachReactor::LetGo() {
  std::optional<absl::Status> finish;
  {
    absl::MutexLock lock(&mu_);
    if (--holds_ == 0) finish = std::exchange(finish_after_holds_, std::nullopt);
  }
  if (finish.has_value()) Finish(ToGrpcStatus(*finish));
}

void AttachReactor::CutOff() {
  {
    absl::MutexLock lock(&mu_);
    if (finished_ || std::exchange(is_cut_off_, true)) return;
    ++holds_;
  }
  // Whatever is in flight fails now, and its end finishes the stream. Not under the lock: gRPC may
  // call back from here.
  call_.TryCancel();
  LetGo();
}

void AttachReactor::OnDone() {
  if (greeted_) {
    context_.workers->Detach(worker_.id, this, "the connection ended");
    log::Info("worker detached", {{"worker", worker_.id.value()}});
  }
  self_.reset();
}

}  // namespace entente::service
