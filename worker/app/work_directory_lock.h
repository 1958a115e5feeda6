// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_WORK_DIRECTORY_LOCK_H_
#define WORKER_APP_WORK_DIRECTORY_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"

namespace entente::worker {

// Keeps a second worker out of the folder for as long as the result lives (the kernel gives the
// lock back whatever happens to the process). Our process's id is in the file meanwhile: `entente
// doctor` looks there. FAILED_PRECONDITION if another worker has it; the file system's errors if
// the lock file cannot be made.
absl::StatusOr<std::unique_ptr<FileLock>> LockWorkDirectory(FileSystem& files,
                                                            const std::string& folder);

}  // namespace entente::worker

#endif  // WORKER_APP_WORK_DIRECTORY_LOCK_H_
