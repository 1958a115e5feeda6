// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_WORKER_APP_H_
#define WORKER_APP_WORKER_APP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/log.h"

namespace entente::worker {

struct WorkerOptions {
  std::string config_path;
  std::string version;                       // entente-worker's.
  std::vector<std::string> program_folders;  // Where bare program names are looked for, in order.
  log::Format log_format = log::Format::kText;
  std::optional<log::Level> log_level;  // Instead of the configuration's.
};

// The program's exit codes.
inline constexpr int kExitStopped = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadConfig = 2;

// Says the sentence on standard error, after the program's name; returns `exit_code`.
int FailWith(absl::string_view sentence, int exit_code);

// Runs the worker until SIGTERM or SIGINT, then drains; returns an exit code. The composition root:
// the only place that knows every part. Call it before there is any other thread: it blocks the two
// signals in all that come. A second signal while draining ends the program at once.
int RunWorker(const WorkerOptions& options);

// Reads and checks everything RunWorker would, says on standard output that it is fine (or on
// standard error what is not), and returns an exit code.
int CheckWorker(const WorkerOptions& options);

// As CheckWorker but for the certificate's role, and starts the trainer in its sandbox and hears
// its greeting, within 30 s. A worker that runs with the same configuration is not disturbed.
int CheckTrainer(const WorkerOptions& options);

}  // namespace entente::worker

#endif  // WORKER_APP_WORKER_APP_H_
