// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

namespace entente::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kBadInput;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kRefused;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kWrongState;
    case absl::StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kFailed;
  }
}

std::string ExitCodesHelp() {
  return "Exit codes:\n"
         "  0    done\n"
         "  1    failed\n"
         "  2    the command line or an input file is wrong\n"
         "  3    not found\n"
         "  4    refused: not known to the coordinator, or not allowed\n"
         "  5    the coordinator cannot be reached\n"
         "  6    conflicts with what is there, or the wrong time for it\n"
         "  7    the watched job failed or was cancelled\n"
         "  130  interrupted";
}

absl::Status AsInputFileError(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnavailable:
      return absl::InvalidArgumentError(status.message());
    default:
      return status;
  }
}

absl::Status AsOutputFileError(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnavailable:
      return absl::UnknownError(status.message());
    default:
      return status;
  }
}

}  // namespace entente::cli
