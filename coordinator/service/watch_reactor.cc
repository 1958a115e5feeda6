// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/watch_reactor.h"

#include <optional>
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
    WatchReactor* const raw = reactor.get();
    {
      absl::MutexLock lock(&raw->mu_);
      raw->finished_ = true;
    }
    raw->Finish(ToGrpcStatus(status));
    return raw;
  }
  // The job holds no more than a weak pointer: a late notification finds nobody.
  reactor->watch_ = reactor->job_->Watch([weak = std::weak_ptr<WatchReactor>(reactor)] {
    if (const auto strong = weak.lock()) strong->OnChange();
  });
  reactor->MaybeWrite();
  reactor->open_watch_ =
      context.watches->Add([weak = std::weak_ptr<WatchReactor>(reactor)](const absl::Status& why) {
        if (const auto strong = weak.lock()) strong->End(why);
      });
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
  std::optional<absl::Status> end;
  {
    absl::MutexLock lock(&mu_);
    writing_ = false;
    if (!ended_.ok()) end = ended_;
    if (!ok) end = absl::CancelledError("the reader has gone");
    if (ok && last_written_) end = absl::OkStatus();
    // Under the lock that found nobody writing: no write may begin after Finish.
    if (end.has_value() && std::exchange(finished_, true)) return;
    timer_armed_ = !end.has_value();
  }
  if (end.has_value()) return Finish(ToGrpcStatus(*end));
  context_.pauses->RunAt(context_.steady_clock->Now() + kPause,
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

void WatchReactor::OnCancel() { End(absl::CancelledError("the reader has gone")); }

void WatchReactor::End(const absl::Status& why) {
  {
    absl::MutexLock lock(&mu_);
    ended_ = why;
    if (writing_ || std::exchange(finished_, true)) return;  // OnWriteDone ends it.
  }
  Finish(ToGrpcStatus(why));
}

void WatchReactor::OnDone() {
  if (watch_ != 0) job_->Unwatch(watch_);
  if (open_watch_ != 0) context_.watches->Remove(open_watch_);
  self_.reset();
}

}  // namespace entente::service
