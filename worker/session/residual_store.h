// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_RESIDUAL_STORE_H_
#define WORKER_SESSION_RESIDUAL_STORE_H_

// What topk left out of a job's updates, kept on disk for the next one: "<job>-<update>.residual",
// with the digest of the update after which it is what is left.
//
// Only one update of each round counts, and which it was the coordinator says in the next task. So
// the right residual is never guessed:
//
//   update accepted, its round committed   its residual is the one that goes on
//   update refused, or its round aborted   the model never had it, and the next update is of the
//                                          same model: the residual before it goes on, or the
//                                          update itself is sent again, with its own
//   worker killed at any moment            as above, by what the coordinator has
//
// One that is not here (another machine, a disk that was emptied) is none: what it held is lost.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"

namespace entente::worker {

// One thread uses it.
class ResidualStore {
 public:
  // Makes the folder, which must be this class's alone: it removes what an earlier run left half
  // made. `files` is borrowed.
  static absl::StatusOr<std::unique_ptr<ResidualStore>> Open(FileSystem* files,
                                                             const std::string& folder);

  // Where the next residual of the job is to be written before Keep.
  std::string NewPath(absl::string_view job_id) const;

  // Takes the file at NewPath as what is left after `update`. The jobs that were used least
  // recently go, beyond limits::kWorkerResidualJobsMax.
  absl::Status Keep(absl::string_view job_id, const Digest& update);

  // Path of what was left after `update`, if it is here.
  std::optional<std::string> Find(absl::string_view job_id, const Digest& update);

  // Removes the job's residuals but for the one after `update`; all of them if that is none.
  absl::Status KeepOnly(absl::string_view job_id, const Digest& update);

 private:
  ResidualStore(FileSystem* files, std::string folder);

  absl::Status TakeUpFiles();
  absl::Status RemoveOthers(const std::string& stem, const std::string& kept_path);
  // Makes it the job that was used last.
  void Use(const std::string& stem);
  std::string PathOf(absl::string_view stem, const Digest& update) const;

  FileSystem& files_;
  const std::string folder_;
  std::vector<std::string> stems_;  // Of the jobs with residuals, the one used last at the end.
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_RESIDUAL_STORE_H_
