// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_AWAY_WATCH_H_
#define WORKER_SESSION_AWAY_WATCH_H_

// Whether this worker is away: looks at the operator's note (away_file.h), tells the coordinator,
// and has the tasks given back. A note whose time has come is removed: the worker is back.
//
// A note that cannot be read means away too: somebody wanted something of it, and a machine that
// rests does no harm.

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/steady_cond_var.h"
#include "entente/v1/member.pb.h"
#include "worker/session/control_sender.h"

namespace entente::worker {

// Thread-safe.
class AwayWatch {
 public:
  // Both are borrowed. Reads the note for the first time.
  AwayWatch(FileSystem* files, const Clock* clock, std::string path);

  // Stops.
  ~AwayWatch();

  // What the worker says of itself; nothing while it is there.
  std::optional<v1::Away> away() const ABSL_LOCKS_EXCLUDED(mu_);

  // "away until ...: ...", or empty while it is there.
  std::string Sentence() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whom to tell; borrowed until Stop has returned.
  struct Listeners {
    ControlSender* sender = nullptr;
    std::function<void(const std::string& reason)> give_back_tasks;
  };
  // Looks every second from now on. Once.
  void Start(Listeners listeners);
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Looks at the note now, and tells if something has changed. After Start.
  void Look() ABSL_LOCKS_EXCLUDED(mu_);

  // Tells the coordinator again: it has just been reached, and what was said before it may be lost.
  void SayAgain() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What the note says at this time.
  std::optional<v1::Away> ReadNote();

  FileSystem& files_;
  const Clock& clock_;
  const std::string path_;
  Listeners listeners_;    // Constant after Start.
  std::string complaint_;  // The looking thread's: what it has logged last.

  mutable absl::Mutex mu_;
  SteadyCondVar stops_;
  std::optional<v1::Away> away_ ABSL_GUARDED_BY(mu_);
  bool is_started_ ABSL_GUARDED_BY(mu_) = false;
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_AWAY_WATCH_H_
