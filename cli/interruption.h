// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_INTERRUPTION_H_
#define CLI_INTERRUPTION_H_

// Ctrl-C as something commands can wait for and calls can be cancelled by, so that an interrupted
// command still removes its temporary files and gives the terminal back as it was.

#include <termios.h>

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/steady_cond_var.h"

namespace entente::cli {

// Thread-safe.
class Interruption {
 public:
  // Keeps a callback registered for as long as it lives; once it is gone the callback does not run.
  class Registration {
   public:
    Registration(Interruption* interruption, int id) : interruption_(interruption), id_(id) {}
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    Interruption* const interruption_;
    const int id_;
  };

  // Runs the callbacks, once, under the lock: they must be short and not call back.
  void Trigger() ABSL_LOCKS_EXCLUDED(mu_);

  bool triggered() const ABSL_LOCKS_EXCLUDED(mu_);

  // `callback` runs at once if the interruption has happened already.
  std::unique_ptr<Registration> OnTrigger(std::function<void()> callback) ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for `duration`, or less if interrupted; returns whether it was.
  bool WaitFor(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mu_);

  // OK, or CANCELLED once interrupted.
  absl::Status Check() const;

 private:
  mutable absl::Mutex mu_;
  SteadyCondVar was_triggered_;
  bool triggered_ ABSL_GUARDED_BY(mu_) = false;
  int next_id_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<int, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mu_);
};

// Turns SIGINT, SIGTERM, SIGQUIT and SIGHUP (unless it is ignored, as nohup has it) into
// `interruption`; a second one ends the process at once, with the terminal as it was when the
// watcher was made. Make it before any other thread, for it blocks the signals in this one and all
// that it starts.
class SignalWatcher {
 public:
  // Borrowed; must outlive the watcher.
  explicit SignalWatcher(Interruption* interruption);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void Run();
  [[noreturn]] void EndAtOnce() const;

  Interruption& interruption_;
  termios terminal_ = {};      // As it was found.
  bool has_terminal_ = false;  // Whether standard input is one.
  std::thread thread_;         // Last: it starts when everything else is ready.
};

}  // namespace entente::cli

#endif  // CLI_INTERRUPTION_H_
