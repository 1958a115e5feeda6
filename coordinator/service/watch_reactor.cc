// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/watch_reactor.h"

#include <utility>

#include "common/rpc/status_conversion.h"
#include "coordinator/service/job_converter.h"

namespace entente::service {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(200);  // Between two states written.

}  // namespace

WatchReactor::WatchReactor(const ServiceContext& context, std::shared_ptr<engine::JobEngine> job)
    : context_(context), job_(std::move(job)) {}

WatchReactor* WatchReactor::Start(const ServiceContext& context,
                                  std::shared_ptr<engine::JobEngine> job,
                                  const absl::Status& status) {
  std::shared_ptr<WatchReactor> reactor(new WatchReactor(context, std::move(job)));
  reactor->self_ = reactor;
  if (!status.ok()) {
    reactor->EndWith(status);
    return reactor.get();
  }
  // The job holds no more than a weak pointer: a late notification finds nobody.
  reactor->watch_ = reactor->job_->Watch([weak = std::weak_ptr<WatchReactor>(reactor)] {
    if (const auto strong = weak.lock()) strong->OnChange();
  });
  reactor->MaybeWrite();
  return reactor.get();
}

void WatchReactor::OnChange() {
  {
    absl::MutexLock lock(&mu_);
    changed_ = true;
  }
  MaybeWrite();
}

void WatchReactor::MaybeWrite() {
  {
    absl::MutexLock lock(&mu_);
    if (!changed_ || writing_ || timer_armed_ || finished_ || last_written_) return;
    changed_ = false;
    writing_ = true;
  }
  // Only one thread gets here at a time: writing_ is set until OnWriteDone.
  const engine::JobView view = job_->View();
  message_ = ToProto(view, *context_.workers, context_.clock->Now(), Detail::kFull);
  message_.clear_recipe();  // It does not change; GetJob has it.
  {
    absl::MutexLock lock(&mu_);
    last_written_ = view.state->HasEnded();
  }
  StartWrite(&message_);
}

void WatchReactor::OnWriteDone(bool ok) {
  bool ended = false;
  {
    absl::MutexLock lock(&mu_);
    writing_ = false;
    ended = last_written_;
    timer_armed_ = ok && !ended;
  }
  if (!ok) return EndWith(absl::CancelledError("the reader has gone"));
  if (ended) return EndWith(absl::OkStatus());
  context_.timers->RunAt(context_.clock->Now() + kPause,
                         [weak = weak_from_this(), executor = context_.executor] {
                           executor->Post([weak] {
                             const auto strong = weak.lock();
                             if (strong == nullptr) return;
                             {
                               absl::MutexLock lock(&strong->mu_);
                               strong->timer_armed_ = false;
                             }
                             strong->MaybeWrite();
                           });
                         });
}

void WatchReactor::EndWith(const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    if (std::exchange(finished_, true)) return;
  }
  Finish(ToGrpcStatus(status));
}

void WatchReactor::OnCancel() {
  bool idle = false;
  {
    absl::MutexLock lock(&mu_);
    idle = !writing_;
  }
  // With a write in flight OnWriteDone ends it.
  if (idle) EndWith(absl::CancelledError("the reader has gone"));
}

void WatchReactor::OnDone() {
  if (watch_ != 0) job_->Unwatch(watch_);
  self_.reset();
}

}  // namespace entente::service
