// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_CANCEL_TOKEN_H_
#define WORKER_TRAINER_HOST_CANCEL_TOKEN_H_

// Tells blocking work, from another thread, that nobody wants its result any more. What blocks
// registers how to be woken: a trainer is killed, an RPC cancelled.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/steady_cond_var.h"

namespace entente::worker {

class CancelToken;

// How time passes for who waits with a token, where it is not the machine's own time.
class CancellableWait {
 public:
  virtual ~CancellableWait() = default;

  // Waits for at most `limit`; returns whether the token is cancelled.
  virtual bool WaitFor(const CancelToken& token, absl::Duration limit) const = 0;
};

// Thread-safe.
class CancelToken {
 public:
  // `wait` is borrowed; null: real time.
  explicit CancelToken(const CancellableWait* wait = nullptr) : wait_(wait) {}

  // Unregisters its callback on destruction, waiting for it if it is running.
  class [[nodiscard]] Registration {
   public:
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    friend class CancelToken;
    Registration(const CancelToken* token, uint64_t id) : token_(*token), id_(id) {}

    const CancelToken& token_;
    const uint64_t id_;
  };

  // The first reason stays; later calls do nothing.
  void Cancel(absl::string_view reason) ABSL_LOCKS_EXCLUDED(mu_);

  bool cancelled() const ABSL_LOCKS_EXCLUDED(mu_);

  // OK, or CANCELLED with the reason.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for at most `limit`, whatever the machine's clock is set to meanwhile; returns whether it
  // is cancelled.
  bool WaitFor(absl::Duration limit) const ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `callback` once, when cancelled, on the cancelling thread; at once if it is already. It
  // must be short and must not touch the token: it runs under the token's lock, for only so can the
  // registration's destruction wait for it.
  Registration OnCancel(std::function<void()> callback) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const CancellableWait* const wait_;

  mutable absl::Mutex mu_;
  mutable SteadyCondVar was_cancelled_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::string reason_ ABSL_GUARDED_BY(mu_);
  mutable uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  mutable std::map<uint64_t, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_CANCEL_TOKEN_H_
