// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_TRAINER_PROCESS_H_
#define WORKER_TRAINER_HOST_TRAINER_PROCESS_H_

// A child process in a process group of its own, spoken to in lines. Its standard error goes to our
// log, line by line, while somebody reads or writes here.
//
// A sandboxed child dies with the thread that started it (bubblewrap's --die-with-parent), so start
// it from a thread that lives as long. The program must ignore SIGPIPE.

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/owned_descriptor.h"

namespace entente::worker {

struct ProcessSpec {
  std::vector<std::string> argv;         // argv[0] is the program's path.
  std::vector<std::string> environment;  // "NAME=value"; nothing else is inherited.
  std::string folder;                    // Where it starts.
  // What of a line of its standard error may be logged; null: all of it.
  std::function<std::string(absl::string_view)> clean_line = nullptr;
  // The kernel is asked to wait so long at a time. Longer waits are several of these.
  absl::Duration poll_max = absl::Hours(1);
};

// How long a trainer that is told to stop has to take it in, and then before each signal.
inline constexpr absl::Duration kTrainerStopGrace = absl::Seconds(2);

// One thread at a time uses it; Kill may come from any, at any time.
class TrainerProcess {
 public:
  // UNAVAILABLE, naming the program, if it cannot be started.
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(const ProcessSpec& spec);

  // Kills the group if it still runs, and reaps.
  ~TrainerProcess();

  // Writes `line` and a newline. DEADLINE_EXCEEDED if the child does not take it within `limit`;
  // UNAVAILABLE if it has ended.
  absl::Status WriteLine(absl::string_view line, absl::Duration limit);

  // The next line of its standard output, without the newline.
  // DEADLINE_EXCEEDED: no whole line within `limit`. UNAVAILABLE: it has ended; the message is
  // EndSentence(). INVALID_ARGUMENT: a line of over limits::kTrainerLineBytesMax.
  absl::StatusOr<std::string> ReadLine(absl::Duration limit);

  bool HasEnded() ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for at most `limit`; returns whether it has ended.
  bool WaitForEnd(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

  // SIGKILL to the whole group; does not wait. Any thread.
  void Kill() ABSL_LOCKS_EXCLUDED(mu_);

  // Closes its standard input, which tells it to end; what still runs after `grace` gets SIGTERM,
  // and after `grace` again SIGKILL. With no grace, SIGKILL at once. Has reaped it on return.
  void Stop(absl::Duration grace) ABSL_LOCKS_EXCLUDED(mu_);

  // "the trainer ended with signal 11 (Segmentation fault)". Not what it said: that may hold the
  // site's data, and this sentence leaves the site. Only once it has ended.
  std::string EndSentence() ABSL_LOCKS_EXCLUDED(mu_);

  // Its exit status, or 128 plus its signal as shells count; only once it has ended.
  int ExitCode() ABSL_LOCKS_EXCLUDED(mu_);

  // The newest line of its standard error, or empty. Escaped, to stand in a sentence of ours.
  const std::string& last_error_line() const { return last_error_line_; }

 private:
  struct Descriptors {
    OwnedDescriptor pid;
    OwnedDescriptor input;
    OwnedDescriptor output;
    OwnedDescriptor error;
  };
  TrainerProcess(pid_t pid, Descriptors descriptors, const ProcessSpec& spec);

  // Waits for input, output or error to be ready and reads what is there. False if nothing was
  // within `limit`; true, perhaps with nothing read, if there is more of it than one wait takes.
  bool Pump(absl::Duration limit, bool wants_to_write);
  void ReadOutput();
  void ReadErrors();
  void TakeErrorLine(absl::string_view line);
  // It has closed its standard `closed`: waits for its end, reads its last words.
  absl::Status Ended(absl::string_view closed);
  void Signal(int signal) ABSL_LOCKS_EXCLUDED(mu_);
  void Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const pid_t pid_;
  const OwnedDescriptor pid_descriptor_;                            // Readable once it has ended.
  const std::function<std::string(absl::string_view)> clean_line_;  // May be null.
  const absl::Duration poll_max_;

  // Of the thread that uses it.
  OwnedDescriptor input_;
  OwnedDescriptor output_;
  OwnedDescriptor error_;
  std::string output_buffer_;
  size_t searched_bytes_ = 0;  // Of output_buffer_: no newline in there.
  std::string error_buffer_;
  std::string last_error_line_;

  absl::Mutex mu_;
  bool reaped_ ABSL_GUARDED_BY(mu_) = false;  // Its number may belong to another process then.
  int exit_code_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_TRAINER_PROCESS_H_
