// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_CHECKPOINT_STORE_H_
#define WORKER_TRAINER_HOST_CHECKPOINT_STORE_H_

// Where the state of a training that was broken off outlives its trainer and its worker. The
// trainer writes it in its private folder, which is emptied before the next trainer starts; here it
// is kept until the same task asks for it again.
//
//   <folder>/<name>   a checkpoint that no trainer has
//   <folder>/asked    the name of the one that the running trainer may write
//
// A trainer can leave here what it was asked for and nothing else, so that no job finds what
// another put in its way.

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"

namespace entente::worker {

// One thread uses it.
class CheckpointStore {
 public:
  // Makes the folder. `files` is borrowed, and must keep what it syncs through a loss of power:
  // what lies with the trainer under a name that nobody asked for is removed. It syncs as often as
  // a task begins and ends. Both folders are on the same disk. The disk's error if it cannot be
  // read what was handed out last: then nothing is removed, and the next start may read it.
  static absl::StatusOr<std::unique_ptr<CheckpointStore>> Open(FileSystem* files,
                                                               const std::string& folder,
                                                               const std::string& trainer_folder);

  // Puts the checkpoint into the trainer's folder if there is one, and returns the path there, at
  // which the trainer may write it from now on.
  absl::StatusOr<std::string> HandOut(const std::string& name);

  // Takes what was handed out out of the reach of the trainer, which must have ended. What is not a
  // regular file is left where it is. Keeps limits::kWorkerCheckpointsMax at most, the newest.
  void TakeBack();

  // Removes the checkpoints whose names begin so, wherever they are.
  void Drop(absl::string_view stem);

  // Likewise, but for those whose names begin with `kept`.
  void DropOthers(absl::string_view stem, absl::string_view kept);

 private:
  CheckpointStore(FileSystem* files, std::string folder, std::string trainer_folder);

  // Removes the checkpoints with such names, wherever they are.
  void RemoveIf(absl::FunctionRef<bool(absl::string_view)> goes);
  void Prune();

  FileSystem& files_;
  const std::string folder_;
  const std::string trainer_folder_;
  // The name of what was handed out last, be it by an earlier run; empty if it was taken back.
  std::string asked_;
};

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_CHECKPOINT_STORE_H_
