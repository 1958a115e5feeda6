// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_CHILD_PROCESS_H_
#define CLI_CHILD_PROCESS_H_

// Runs another program to its end, for what only entente-trainer can do.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace entente::cli {

struct ChildResult {
  int exit_status = 0;       // What it exited with; 128 plus the signal that ended it.
  std::string error_output;  // The last 4 KiB of its standard error.
};

// Starts `arguments[0]`, a path, with no input and its standard output thrown away, and waits for
// its end. A Ctrl-C on the terminal reaches it too.
//
// INVALID_ARGUMENT if it cannot be started, naming it.
absl::StatusOr<ChildResult> RunChild(const std::vector<std::string>& arguments);

}  // namespace entente::cli

#endif  // CLI_CHILD_PROCESS_H_
