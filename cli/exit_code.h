// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_EXIT_CODE_H_
#define CLI_EXIT_CODE_H_

// What `entente` ends with. Scripts rely on these numbers: they never change their meaning, and
// --help lists them.

#include <string>

#include "absl/status/status.h"

namespace entente::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,           // Anything below does not say: a full disk, a bug, a check of doctor.
  kBadInput = 2,         // The command line, a recipe or another file is wrong.
  kNotFound = 3,         // No such job, round, model, member or context.
  kRefused = 4,          // Who are you, or not allowed.
  kUnreachable = 5,      // The coordinator did not answer.
  kWrongState = 6,       // Conflicts with what is there, e.g. the job has ended already.
  kJobNotCompleted = 7,  // The watched job failed or was cancelled.
  kInterrupted = 130,    // Ctrl-C, as shells have it.
};

// The code a command that ended with `status` gives.
ExitCode ExitCodeOf(const absl::Status& status);

// The table above for --help, one line each.
std::string ExitCodesHelp();

// What is wrong with a file the caller named is the caller's mistake, not something the coordinator
// does not know or cannot be reached for: NOT_FOUND, OUT_OF_RANGE and UNAVAILABLE of a FileSystem
// become INVALID_ARGUMENT. Other codes stay.
absl::Status AsInputFileError(const absl::Status& status);

// The same for files we write: what is left of UNAVAILABLE and NOT_FOUND is FAILED (UNKNOWN).
absl::Status AsOutputFileError(const absl::Status& status);

}  // namespace entente::cli

#endif  // CLI_EXIT_CODE_H_
