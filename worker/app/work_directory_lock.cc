// SPDX-License-Identifier: Apache-2.0
#include "worker/app/work_directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace entente::worker {

absl::StatusOr<OwnedDescriptor> LockWorkDirectory(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/lock");
  OwnedDescriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.is_open()) {
    return absl::UnavailableError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("another entente-worker uses the work directory ", folder,
                     ": stop it, or set workDirectory to another folder"));
  }
  return lock;
}

}  // namespace entente::worker
