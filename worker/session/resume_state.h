// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_RESUME_STATE_H_
#define WORKER_SESSION_RESUME_STATE_H_

// Finished updates, the newest of each job, kept on disk until its round has moved on: a broken
// link, a restart of the worker or an aborted attempt costs an upload, not a training. Each is two
// files in one folder, "<stem>.safetensors" and "<stem>.json" with what the upload's header says
// and what the update was made of.

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
  // made. `files` is borrowed; what is kept is as durable as it is. The disk's error, and nothing
  // is removed, if something of it cannot be read.
  static absl::StatusOr<std::unique_ptr<ResumeState>> Open(FileSystem* files,
                                                           const std::string& folder);

  // Where the update of a task is to be written before Keep.
  std::string UpdatePath(const v1::TaskKey& key) const;

  // Puts the file at UpdatePath(task.key()), which was made for `task`, on the disk and remembers
  // it. The job's earlier updates go, and the oldest of all beyond limits::kWorkerKeptUpdatesMax.
  absl::Status Keep(const v1::UploadHeader& header, const v1::Task& task);

  // The kept update for the task, whichever attempt of its round it was made for, if all that it
  // was made of is the same (base model, recipe, seed, the update that counted last) and the file
  // still has its digest. Its header is for this attempt. One that cannot be read is not found, for
  // a bad place on the disk must not fail attempt after attempt; it is logged, and nothing removed.
  std::optional<KeptUpdate> Find(const v1::Task& task);

  // Removes what is kept for the task; OK if nothing is.
  absl::Status Drop(const v1::TaskKey& key);

  // Removes the job's updates but for the task's.
  absl::Status DropOthers(const v1::TaskKey& key);

  // Removes the job's updates; OK if there is none.
  absl::Status DropJob(const std::string& job_id);

 private:
  ResumeState(FileSystem* files, std::string folder);

  // A kept update: its files' stem, and its job.
  struct Entry {
    std::string stem;
    std::string job;
  };

  absl::Status TakeUpFiles();
  // The job's updates but for the one with the stem `kept`; all if that is empty.
  absl::Status DropOfJob(const std::string& job_id, absl::string_view kept);
  absl::Status DropFirst();
  absl::Status RemoveFiles(const std::string& stem);
  std::string PathOf(absl::string_view stem, absl::string_view suffix) const;

  FileSystem& files_;
  const std::string folder_;
  std::vector<Entry> entries_;  // Oldest first.
};

}  // namespace entente::worker

#endif  // WORKER_SESSION_RESUME_STATE_H_
