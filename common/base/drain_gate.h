// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_DRAIN_GATE_H_
#define COMMON_BASE_DRAIN_GATE_H_

// A gate that work passes while it is open; closing it waits for what is inside. The way everything
// here stops: close the gate, finish what is in flight, go.

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/steady_cond_var.h"

namespace entente {

// Thread-safe.
class DrainGate {
 public:
  // Whether the caller may go on; if true it must call Leave() when done.
  bool Enter() ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  // Lets nobody in any more and waits, at most `limit`, until everybody has left. Returns whether
  // they have. May be called again.
  bool CloseAndWait(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  SteadyCondVar left_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  int inside_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace entente

#endif  // COMMON_BASE_DRAIN_GATE_H_
