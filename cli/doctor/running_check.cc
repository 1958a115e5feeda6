// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/running_check.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace entente::cli {

void CheckRunning(FileSystem& files, const std::string& lock_path, absl::string_view program,
                  const std::string& config_path, Examination* examination) {
  // Given back at once. What a killed process left in the file is locked by nobody.
  const absl::Status lock = files.Lock(lock_path, LockKind::kShared).status();
  if (absl::IsFailedPrecondition(lock)) {
    examination->Ok(program, absl::StrCat("runs: ", lock.message()));
  } else if (lock.ok() || absl::IsNotFound(lock)) {
    examination->Warn(program, "does not run",
                      absl::StrCat("start it with \"entente-", program, " --config ", config_path,
                                   "\" or \"systemctl start entente-", program, "\""));
  } else {
    examination->Warn(program, absl::StrCat("may run or not: ", lock.message()),
                      absl::StrCat("run doctor as the user whom entente-", program, " runs as"));
  }
}

}  // namespace entente::cli
