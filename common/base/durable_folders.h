// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_DURABLE_FOLDERS_H_
#define COMMON_BASE_DURABLE_FOLDERS_H_

// Makes folders whose names survive the power. A folder that is there need not be on the disk: the
// process may have been killed, or the disk have failed, between making it and syncing the folder
// that it is in. So that a folder is there says nothing; what this object has synced does.

#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace entente {

// Thread-safe.
class DurableFolders {
 public:
  // What the file system can do.
  struct Calls {
    absl::FunctionRef<bool(const std::string& path)> exists;
    // Makes one folder, whose parent is there; OK if it is there already.
    absl::FunctionRef<absl::Status(const std::string& path)> make;
    // Puts the names in a folder on the disk.
    absl::FunctionRef<absl::Status(const std::string& folder)> sync;
  };

  // Makes the folder and its parents. What was not synced by this object yet is: every folder below
  // the nearest that was; if none was, those that are made here and the last.
  absl::Status Create(const std::string& path, const Calls& calls) ABSL_LOCKS_EXCLUDED(mu_);

  // The folder, and all in it, is gone.
  void Forget(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool IsDurable(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  std::set<std::string> durable_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente

#endif  // COMMON_BASE_DURABLE_FOLDERS_H_
