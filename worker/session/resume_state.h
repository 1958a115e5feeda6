// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_RESUME_STATE_H_
#define WORKER_SESSION_RESUME_STATE_H_

// Finished updates, the newest of each job, kept on disk until its round has moved on: a broken
// link or a restart of the worker costs an upload, not a training. Each is two files in one folder,
// "<stem>.safetensors" and "<stem>.json" with what the upload's header says.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "entente/v1/task.pb.h"
#include "entente/v1/transfer_service.pb.h"

namespace entente::worker {

struct KeptUpdate {
  v1::UploadHeader header;
  std::string path;
};

// One thread uses it.
class ResumeState {
 public:
  // Makes the folder, which must be this class's alone: it removes what an earlier run left half
  // made. `files` is borrowed.
  static absl::StatusOr<std::unique_ptr<ResumeState>> Open(FileSystem* files,
                                                           const std::string& folder);

  // Where the update of a task is to be written before Keep.
  std::string UpdatePath(const v1::TaskKey& key) const;

  // Remembers the file at UpdatePath(header.update().key()). The job's earlier updates go, and the
  // oldest of all beyond limits::kWorkerKeptUpdatesMax.
  absl::Status Keep(const v1::UploadHeader& header, const std::string& recipe_digest);

  // The kept update for this very task, if its base model and recipe are the same and the file
  // still has its digest.
  std::optional<KeptUpdate> Find(const v1::Task& task);

  // Removes what is kept for the task; OK if nothing is.
  absl::Status Drop(const v1::TaskKey& key);

 private:
  ResumeState(FileSystem* files, std::string folder);

  // A kept update: its files' stem, and its job.
  struct Entry {
    std::string stem;
    std::string job;
  };

  absl::Status TakeUpFiles();
  absl::Status DropFirst();
  absl::Status RemoveFiles(const std::string& stem);
  std::string PathOf(absl::string_view stem, absl::string_view suffix) const;

  FileSystem& files_;
  const std::string folder_;
  std::vector<Entry> entries_;  // Oldest first.
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_RESUME_STATE_H_
