// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_IDLE_WATCH_H_
#define COORDINATOR_SERVICE_IDLE_WATCH_H_

// Notices when a peer keeps a transfer waiting for too long. Only waits for the peer count: what
// the transfer itself takes for a chunk, or a slow disk, is not the peer's fault.

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/timers.h"

namespace entente::service {

// Thread-safe. Costs one timer every `limit`, however many waits there are.
class IdleWatch {
 public:
  // `clock`, a steady one, and `pauses` by it are borrowed. `on_idle` is called on the timer's
  // thread once a wait has lasted `limit`, at most once a wait, and never once Stop has returned.
  // It must be short and must not call back here: it runs under the watch's lock, for only so can
  // Stop wait for it.
  IdleWatch(const Clock* clock, Timers* pauses, absl::Duration limit,
            std::function<void()> on_idle);
  ~IdleWatch();

  void BeginWait();
  void EndWait();

  // Whether a wait is on that has lasted `limit`.
  bool IsOverdue() const;

  // Ends it for good.
  void Stop();

 private:
  struct State;
  static void Arm(const std::shared_ptr<State>& state, absl::Time at);
  static void OnTimer(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;  // Shared with a timer in flight.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_IDLE_WATCH_H_
