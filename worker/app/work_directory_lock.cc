// SPDX-License-Identifier: Apache-2.0
#include "worker/app/work_directory_lock.h"

#include "absl/strings/str_cat.h"

namespace entente::worker {

absl::StatusOr<std::unique_ptr<FileLock>> LockWorkDirectory(FileSystem& files,
                                                            const std::string& folder) {
  auto lock = files.Lock(absl::StrCat(folder, "/lock"), LockKind::kExclusive);
  if (absl::IsFailedPrecondition(lock.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "another entente-worker uses the work directory ", folder, " (", lock.status().message(),
        "): stop it, or set workDirectory to another folder"));
  }
  return lock;
}

}  // namespace entente::worker
