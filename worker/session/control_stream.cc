// SPDX-License-Identifier: Apache-2.0
#include "worker/session/control_stream.h"

#include <utility>

#include "common/base/limits.h"
#include "common/rpc/status_conversion.h"

namespace entente::worker {

std::shared_ptr<ControlStream> ControlStream::Open(v1::WorkerService::Stub* stub,
                                                   Callbacks callbacks) {
  std::shared_ptr<ControlStream> stream(new ControlStream(std::move(callbacks)));
  stream->keep_alive_ = stream;
  {
    absl::MutexLock lock(&stream->mu_);
    stub->async()->Attach(stream->context_.get(), stream.get());
  }
  stream->AddHold();  // Writes start outside of reactions, until reading ends.
  stream->StartRead(&stream->incoming_);
  stream->StartCall();
  return stream;
}

bool ControlStream::Send(v1::WorkerMessage message) {
  absl::MutexLock lock(&mu_);
  if (is_over_ || is_finishing_) return false;
  if (queue_.size() >= static_cast<size_t>(limits::kControlQueueMessagesMax)) {
    context_->TryCancel();
    return false;
  }
  queue_.push_back(std::move(message));
  if (!is_writing_) WriteNext();
  return true;
}

void ControlStream::FinishSending() {
  absl::MutexLock lock(&mu_);
  if (is_over_ || is_finishing_) return;
  is_finishing_ = true;
  if (!is_writing_) WriteNext();
}

void ControlStream::Cancel() {
  absl::MutexLock lock(&mu_);
  if (context_ != nullptr) context_->TryCancel();
}

void ControlStream::OnReadDone(bool ok) {
  if (ok) {
    callbacks_.on_message(std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    is_over_ = true;
  }
  RemoveHold();
}

void ControlStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mu_);
  is_writing_ = false;
  queue_.pop_front();
  if (!ok || is_over_) return;
  WriteNext();
}

void ControlStream::OnDone(const grpc::Status& status) {
  const std::shared_ptr<ControlStream> self = std::move(keep_alive_);
  std::unique_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mu_);
    context = std::move(context_);
  }
  context.reset();  // And with it our hold on the channel, which may go once on_done is called.
  callbacks_.on_done(FromGrpcStatus(status));
}

void ControlStream::WriteNext() {
  if (!queue_.empty()) {
    is_writing_ = true;
    StartWrite(&queue_.front());
  } else if (is_finishing_) {
    StartWritesDone();
  }
}

}  // namespace entente::worker
