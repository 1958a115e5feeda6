// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_OPEN_WATCHES_H_
#define COORDINATOR_SERVICE_OPEN_WATCHES_H_

#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace entente::service {

// The streams that end only with what they watch, so that a coordinator that stops can end them at
// once: nobody should wait for somebody who merely looks on. Thread-safe.
class OpenWatches {
 public:
  // Called once at most, without a lock held; must not block.
  using End = std::function<void(const absl::Status& why)>;

  // Returns the name to remove it by. `end` is called at once if EndAll was called before.
  uint64_t Add(End end) ABSL_LOCKS_EXCLUDED(mu_);

  // A call of its `end` in flight may still go on after this has returned.
  void Remove(uint64_t id) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends all there are, on this thread, and all that come later. `why` is not OK.
  void EndAll(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Mutex mu_;
  std::map<uint64_t, End> ends_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  absl::Status why_ ABSL_GUARDED_BY(mu_);  // OK until EndAll.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_OPEN_WATCHES_H_
