// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTEGRATION_PROCESS_H_
#define TESTS_INTEGRATION_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace entente {

// A child process with its output in a file. Killed on destruction if it still runs.
class Process {
 public:
  // `argv[0]` is a path. Standard output and error go to `output_path`, which is replaced.
  Process(const std::vector<std::string>& argv, const std::string& output_path);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  void Signal(int signal) const;

  // The exit status, 128 + the signal that ended it, or -1 if it still runs after `limit`.
  int WaitForExit(absl::Duration limit = absl::Minutes(2));

  std::string Output() const;

  // Waits, at most `limit`, until the output contains `text`; whether it does.
  bool WaitForOutput(const std::string& text, absl::Duration limit = absl::Minutes(1)) const;

 private:
  const std::string output_path_;
  pid_t pid_ = -1;
};

// Runs a program to its end.
struct Finished {
  int exit_status = -1;
  std::string standard_output;
  std::string standard_error;
};
Finished RunProgram(const std::vector<std::string>& argv);

// Whether `done`, which another process makes true, was so within the limit.
bool WaitUntil(absl::FunctionRef<bool()> done, absl::Duration limit = absl::Minutes(5));

}  // namespace entente

#endif  // TESTS_INTEGRATION_PROCESS_H_
