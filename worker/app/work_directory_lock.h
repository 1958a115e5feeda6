// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_WORK_DIRECTORY_LOCK_H_
#define WORKER_APP_WORK_DIRECTORY_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/base/owned_descriptor.h"

namespace entente::worker {

// Keeps a second worker out of the folder for as long as the result lives (the kernel gives the
// lock back whatever happens to the process). FAILED_PRECONDITION if another worker has it;
// UNAVAILABLE if the lock file cannot be made.
absl::StatusOr<OwnedDescriptor> LockWorkDirectory(const std::string& folder);

}  // namespace entente::worker

#endif  // WORKER_APP_WORK_DIRECTORY_LOCK_H_
