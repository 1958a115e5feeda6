// SPDX-License-Identifier: Apache-2.0
#include "sim/worker_link.h"

#include <algorithm>
#include <utility>

#include "common/base/limits.h"
#include "common/config/proto_time.h"
#include "sim/message_text.h"

namespace entente::sim {
namespace {

constexpr absl::Duration kWelcomeWait = absl::Seconds(20);

}  // namespace

WorkerLink::WorkerLink(const Dependencies& dependencies, v1::Hello hello)
    : deps_(dependencies),
      hello_(std::move(hello)),
      backoff_(limits::kBackoffFirst, limits::kBackoffMax, &deps_.scheduler->chance()) {}

void WorkerLink::Start(worker::TaskListener* listener) {
  listener_ = listener;
  Dial();
}

void WorkerLink::Send(v1::WorkerMessage message) {
  if (is_attached_ && stream_ != nullptr && deps_.process->alive()) {
    stream_->Send(message.SerializeAsString());
  }
}

void WorkerLink::PostAfter(absl::Duration pause, std::function<void()> task) {
  deps_.process->PostAfter(pause, [this, stream = streams_, task = std::move(task)] {
    if (stream == streams_) task();
  });
}

void WorkerLink::Dial() {
  ++streams_;
  attached_at_ = absl::InfiniteFuture();
  stream_ = deps_.network->Connect(deps_.machine, "Attach");
  stream_->Listen({.on_message =
                       [this](const std::string& text) {
                         if (deps_.process->alive()) OnMessage(text);
                       },
                   .on_end =
                       [this](const absl::Status&) {
                         // Not on the stream's own stack.
                         PostAfter(absl::ZeroDuration(), [this] { Lose(); });
                       }});
  v1::WorkerMessage message;
  *message.mutable_hello() = hello_;
  stream_->Send(message.SerializeAsString());
  PostAfter(kWelcomeWait, [this] {
    if (!is_attached_) Lose();
  });
}

void WorkerLink::Lose() {
  if (stream_ == nullptr) return;
  stream_.reset();
  is_attached_ = false;
  if (deps_.scheduler->now() - attached_at_ >= limits::kStreamStableTime) backoff_.Reset();
  PostAfter(backoff_.Next(), [this] { Dial(); });
}

void WorkerLink::OnMessage(const std::string& text) {
  v1::CoordinatorMessage message;
  if (!message.ParseFromString(text)) return;
  if (deps_.trace->kept() && !message.has_heartbeat()) {
    deps_.trace->Arrow(0, deps_.machine, MessageText(message));
  }
  if (silence_.has_value()) silence_->Heard();
  if (message.has_welcome()) {
    is_attached_ = true;
    attached_at_ = deps_.scheduler->now();
    listener_->HandleAttached(WorkerId(message.welcome().worker_id()));
    silence_.emplace(deps_.scheduler->now(), ToDuration(message.welcome().heartbeat_interval()));
    return ArmSilenceWatch();
  }
  if (!is_attached_) return;
  if (message.has_task()) {
    listener_->HandleTask(std::move(*message.mutable_task()));
  } else if (message.has_cancelled()) {
    listener_->HandleCancelled(message.cancelled());
  } else if (message.has_job_ended()) {
    listener_->HandleJobEnded(message.job_ended());
  }
}

void WorkerLink::ArmSilenceWatch() {
  PostAfter(silence_->due_at() - deps_.scheduler->now(), [this] {
    if (!is_attached_) return;
    if (silence_->Check(deps_.scheduler->now()) == worker::SilenceWatch::Verdict::kGiveUp) {
      return Lose();
    }
    v1::WorkerMessage message;
    message.mutable_heartbeat();
    Send(std::move(message));
    ArmSilenceWatch();
  });
}

}  // namespace entente::sim
