// SPDX-License-Identifier: Apache-2.0
#include "worker/trainer_host/cancel_token.h"

#include <utility>

namespace entente::worker {

CancelToken::Registration::~Registration() {
  absl::MutexLock lock(&token_.mu_);
  token_.callbacks_.erase(id_);
}

void CancelToken::Cancel(absl::string_view reason) {
  absl::MutexLock lock(&mu_);
  if (cancelled_) return;
  cancelled_ = true;
  reason_ = std::string(reason);
  was_cancelled_.SignalAll();
  for (const auto& [id, callback] : callbacks_) callback();
}

bool CancelToken::cancelled() const {
  absl::MutexLock lock(&mu_);
  return cancelled_;
}

absl::Status CancelToken::status() const {
  absl::MutexLock lock(&mu_);
  return cancelled_ ? absl::CancelledError(reason_) : absl::OkStatus();
}

bool CancelToken::WaitFor(absl::Duration limit) const {
  if (wait_ != nullptr) return wait_->WaitFor(*this, limit);
  absl::MutexLock lock(&mu_);
  return was_cancelled_.AwaitFor(
      &mu_, limit, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return cancelled_; });
}

CancelToken::Registration CancelToken::OnCancel(std::function<void()> callback) const {
  absl::MutexLock lock(&mu_);
  if (cancelled_) callback();
  const uint64_t id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  return Registration(this, id);
}

}  // namespace entente::worker
