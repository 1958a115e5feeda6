// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_CACHE_MODEL_CACHE_H_
#define WORKER_CACHE_MODEL_CACHE_H_

// Models and TorchScript programs this worker has downloaded: one folder of files named by their
// SHA-256, bounded in size. A job's model goes when the job goes on to its next one, for nobody
// asks for it again; of the rest, what was not used for longest goes first. What is in use stays.
// Beside a model that came in bf16 lies "<digest>.fp32", as the trainer reads it; it is made anew
// after a restart.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "common/transfer/incoming_file.h"

namespace entente::worker {

// Thread-safe. Leases must be gone before it is.
class ModelCache {
 public:
  // A file in use: it is not removed while this lives.
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    const std::string& path() const { return path_; }
    const Digest& digest() const { return digest_; }

    // Path of the model as the trainer reads it, for as long as the lease lives: F32 in place of
    // BF16, made when it is first asked for, or path() if it has no BF16. One call at a time.
    // INVALID_ARGUMENT if the file is no model; RESOURCE_EXHAUSTED, with the numbers, if there is
    // no room for it.
    absl::StatusOr<std::string> ExpandedPath() const;

   private:
    friend class ModelCache;
    Lease(ModelCache* cache, const Digest& digest, std::string path);

    ModelCache* cache_;  // Null once moved from.
    Digest digest_;
    std::string path_;
  };

  // Makes the folder if it is missing and takes up what an earlier run left; other files in it are
  // left alone. `files` is borrowed.
  static absl::StatusOr<std::unique_ptr<ModelCache>> Open(FileSystem* files,
                                                          const std::string& folder,
                                                          uint64_t bytes_max);

  // The file, or nothing if it is not there. A file from an earlier run is hashed when first asked
  // for, and dropped if the disk has spoilt it.
  std::optional<Lease> Find(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes room and opens the file for the bytes that come; an earlier part of it is continued. One
  // download at a time.
  //
  // RESOURCE_EXHAUSTED, with the numbers, if it does not fit beside what is in use, or the disk is
  // full.
  absl::StatusOr<std::unique_ptr<IncomingFile>> BeginDownload(const Digest& digest,
                                                              uint64_t total_bytes)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Takes the whole file in. OUT_OF_RANGE if bytes are missing, DATA_LOSS if its digest is another;
  // the part is dropped then.
  absl::StatusOr<Lease> FinishDownload(const Digest& digest, std::unique_ptr<IncomingFile> file)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The job goes on with the model `next`: the one it went on with before is removed, with what was
  // made of it, unless it is in use or another job's newest. Best called just before the download:
  // memory and disk that were freed just now are written several times as fast as others. Who asks
  // for it all the same downloads it again. Of more than limits::kWorkerModelJobsMax jobs those
  // that went on least recently are forgotten, and their models go when there is no room for them.
  void DropPrevious(const std::string& job_id, const Digest& next) ABSL_LOCKS_EXCLUDED(mu_);

  uint64_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    uint64_t bytes = 0;
    uint64_t expanded_bytes = 0;  // 0: it is not there.
    uint64_t last_use = 0;
    int users = 0;
    bool is_verified = false;
  };

  // The model that a job went on with last.
  struct NewestModel {
    std::string job_id;
    Digest digest;
  };

  ModelCache(FileSystem* files, std::string folder, uint64_t bytes_max);

  absl::Status TakeUpFiles() ABSL_LOCKS_EXCLUDED(mu_);
  // Removes parts of other files than `wanted`: nobody will continue them.
  absl::Status DropOtherParts(const Digest& wanted);
  // Removes what was not used for longest until `bytes` more fit.
  absl::Status MakeRoom(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes those entries out of the books; returns what is to be removed from disk.
  absl::StatusOr<std::vector<Digest>> TakeOut(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::string> Expand(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status RemoveFiles(const Digest& digest);
  std::string PathOf(const Digest& digest) const;
  std::string ExpandedPathOf(const Digest& digest) const;
  Lease Use(const Digest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndUse(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_);
  // Removes it, unless it is in use.
  void Drop(const Digest& digest) ABSL_LOCKS_EXCLUDED(mu_);

  FileSystem& files_;
  const std::string folder_;
  const uint64_t bytes_max_;

  mutable absl::Mutex mu_;
  std::map<Digest, Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t next_use_ ABSL_GUARDED_BY(mu_) = 1;
  std::vector<NewestModel> newest_models_ ABSL_GUARDED_BY(mu_);  // One a job, least recent first.
};

}  // namespace entente::worker

#endif  // WORKER_CACHE_MODEL_CACHE_H_
