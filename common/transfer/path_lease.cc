// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/path_lease.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace entente {

struct PathLease::Paths {
  absl::Mutex mu;
  absl::flat_hash_set<std::string> taken ABSL_GUARDED_BY(mu);
};

PathLease::PathLease(std::shared_ptr<Paths> paths, std::string path)
    : paths_(std::move(paths)), path_(std::move(path)) {}

PathLease::~PathLease() {
  if (paths_ == nullptr) return;  // Holds nothing, or was moved from.
  absl::MutexLock lock(&paths_->mu);
  paths_->taken.erase(path_);
}

PathLeases::PathLeases() : paths_(std::make_shared<PathLease::Paths>()) {}
PathLeases::~PathLeases() = default;

absl::StatusOr<PathLease> PathLeases::Take(const std::string& path, absl::string_view what) {
  absl::MutexLock lock(&paths_->mu);
  if (!paths_->taken.insert(path).second) {
    return absl::UnavailableError(
        absl::StrCat(what, " is being received already; try again when that has ended"));
  }
  return PathLease(paths_, path);
}

}  // namespace entente
