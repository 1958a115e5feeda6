// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_UPDATES_UPDATE_SPOOL_H_
#define COORDINATOR_UPDATES_UPDATE_SPOOL_H_

// Updates on disk until their round's attempt has ended: disk is the aggregator's memory. One
// folder a round's attempt, one file an update:
//   <folder>/<job>/<round index>-<attempt>/<member>+<worker>-<digest>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "common/transfer/incoming_file.h"
#include "common/transfer/path_lease.h"
#include "coordinator/updates/space_ledger.h"

namespace entente::updates {

// Names one worker's update of one attempt of a round.
struct SpoolKey {
  JobId job;
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  WorkerId worker;
  Digest digest;
};

// Names one attempt of a round.
struct AttemptKey {
  JobId job;
  uint32_t round_index = 0;
  uint32_t attempt = 1;
};

// An update that arrives, and the room that is set aside for it.
struct IncomingUpdate {
  PathLease one_at_a_time;  // Of the worker's updates.
  std::unique_ptr<IncomingFile> file;
  SpaceReservation space;  // Ends before the file's lease does: the order of the two matters.
};

class UpdateSpool;

// Keeps every update of the spool where it is, for as long as it lives, so that a copy can be taken
// of what the journal names. The spool must outlive it.
class SpoolHold {
 public:
  explicit SpoolHold(UpdateSpool* spool);
  ~SpoolHold();
  SpoolHold(const SpoolHold&) = delete;
  SpoolHold& operator=(const SpoolHold&) = delete;

 private:
  UpdateSpool& spool_;
};

// Thread-safe. Ids are checked where they enter the system; one that could leave the folder all the
// same is refused here with INVALID_ARGUMENT. Errors that are not named below are the disk's.
class UpdateSpool {
 public:
  // Creates the folder. `files` is borrowed. All updates together, whole or not, take at most
  // `quota_bytes`.
  static absl::StatusOr<std::unique_ptr<UpdateSpool>> Create(
      FileSystem& files, std::string folder, uint64_t quota_bytes = SpaceLedger::kNoQuota);

  const std::string& folder() const { return folder_; }

  // Where the update is, or will be, once it is whole. Bytes of ids that do not belong into a file
  // name are escaped, so the path is in the folder whatever they are.
  std::string PathOf(const SpoolKey& key) const;
  // The same from the spool's folder on.
  static std::string NameOf(const SpoolKey& key);

  // A worker has one unfinished update a round's attempt: what it left of another one is dropped.
  //
  // UNAVAILABLE while another stream receives the same update, for two writers of one file could
  // slip bytes into it after it was checked; also while one receives another update of this worker.
  // RESOURCE_EXHAUSTED, with the numbers, if the update does not fit now: into the quota, or on the
  // disk with `free_bytes_min` left, which is all that its caller wants to stay free.
  absl::StatusOr<IncomingUpdate> Receive(const SpoolKey& key, uint64_t total_bytes,
                                         uint64_t free_bytes_min);

  // Removes a whole update that nobody will read. While somebody holds the spool it stays, to be
  // removed with its attempt: put off, it could hit the same update, sent again meanwhile.
  void Drop(const SpoolKey& key) ABSL_LOCKS_EXCLUDED(mu_);

  // What all uploads together take of the disk; for uploads that lie elsewhere as well.
  SpaceLedger& space() { return space_; }

  // The attempt was committed or aborted: takes its updates out of the quota at once, unless
  // somebody holds the spool, and does Remove on `executor`, for that takes as long as the files
  // are large. What cannot be removed is logged. The spool must outlive the executor's work.
  void RemoveSoon(const AttemptKey& attempt, Executor* executor) ABSL_LOCKS_EXCLUDED(mu_);

  // Removes the attempt's folder. While somebody holds the spool, that is put off until the last
  // hold has ended.
  absl::Status Remove(const JobId& job, uint32_t round_index, uint32_t attempt)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Moves the folders of jobs that are none of `known` to "<folder>-unknown", and returns where
  // they are now: a journal without them may be of another data directory, or an older copy, and
  // with the right one their updates are wanted, once somebody has moved them back. A name that is
  // taken there gets a number. On error those before stay moved.
  absl::StatusOr<std::vector<std::string>> SetAside(const std::vector<JobId>& known);

  // Removes whatever belongs to none of `attempts`. For the start: a crash may come between the end
  // of an attempt and its Remove. On error whatever could be removed is.
  absl::Status KeepOnly(const std::vector<AttemptKey>& attempts);

 private:
  friend class SpoolHold;
  UpdateSpool(FileSystem* files, std::string folder, uint64_t quota_bytes);
  void BeginHold() ABSL_LOCKS_EXCLUDED(mu_);
  void EndHold() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveNow(const std::string& folder);
  std::string FolderOf(const JobId& job, uint32_t round_index, uint32_t attempt) const;
  std::string JobFolderOf(const JobId& job) const;
  absl::StatusOr<std::vector<std::string>> AttemptFolders() const;
  absl::Status CountWhatIsThere();
  absl::Status DropOtherParts(const SpoolKey& key);

  FileSystem& files_;
  const std::string folder_;
  PathLeases leases_;
  SpaceLedger space_;

  absl::Mutex mu_;
  int holds_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::string> put_off_ ABSL_GUARDED_BY(mu_);  // Folders to remove when holds_ is 0.
};

}  // namespace entente::updates

#endif  // COORDINATOR_UPDATES_UPDATE_SPOOL_H_
