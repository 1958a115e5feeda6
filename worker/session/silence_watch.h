// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_SILENCE_WATCH_H_
#define WORKER_SESSION_SILENCE_WATCH_H_

// When to send a heartbeat, and when to give up a peer that answers none. Unanswered heartbeats are
// counted, not timed: a process that was suspended for an hour has sent nothing meanwhile, so its
// peer was not silent, and it asks before it hangs up.
//
//   attached   beat 1   beat 2   beat 3   give up
//      |--------|--------|--------|--------|        nothing heard
//      interval

#include "absl/time/time.h"

namespace entente::worker {

// Not thread-safe. Any clock will do that does not jump back.
class SilenceWatch {
 public:
  enum class Verdict {
    kNotDue,  // Nothing to do before due_at().
    kBeat,    // Send a heartbeat now.
    kGiveUp,  // kUnansweredMax heartbeats were sent and nothing came.
  };

  static constexpr int kUnansweredMax = 3;

  // The first heartbeat is due an interval after `now`.
  SilenceWatch(absl::Time now, absl::Duration interval);

  // The peer said something, whatever it was.
  void Heard() { unanswered_ = 0; }

  // When to call Check again.
  absl::Time due_at() const { return due_at_; }

  // kBeat counts as sent, and makes the next one due an interval after `now`.
  Verdict Check(absl::Time now);

 private:
  const absl::Duration interval_;
  absl::Time due_at_;
  int unanswered_ = 0;
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_SILENCE_WATCH_H_
