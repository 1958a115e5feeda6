// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_UPLOAD_INTAKE_H_
#define COORDINATOR_ENGINE_UPLOAD_INTAKE_H_

// Takes in what peers upload: updates for the round in flight, and the files of recipes. An upload
// is checked before its bytes travel, spooled while they do, and validated before it is
// acknowledged.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/models/model_store.h"
#include "coordinator/updates/update_spool.h"
#include "entente/v1/transfer_service.pb.h"

namespace entente::engine {

// One upload under way. Not thread-safe: one call at a time.
class Upload {
 public:
  virtual ~Upload() = default;

  // Whether the very same bytes are in already; then nothing needs to be sent.
  virtual bool already_stored() const = 0;

  // Where the next chunk belongs.
  virtual uint64_t offset() const = 0;

  // OUT_OF_RANGE if the chunk does not continue at offset() or is too long; RESOURCE_EXHAUSTED,
  // which is noted in an update's round, and UNAVAILABLE from the disk, and the same chunk may be
  // tried again. Of an update also as CheckUpload (transfer_permission.h), if its round has ended.
  virtual absl::Status Append(uint64_t offset, absl::string_view data) = 0;

  // How many bytes the chunks had as they travelled; said before Seal, by who cares.
  virtual void SetSentBytes(uint64_t) {}

  // Validates and stores; reads the whole file once. `done` is called, here or on another thread,
  // once it is durable or refused; only then may the upload be destroyed.
  //
  // OUT_OF_RANGE: it is not whole yet. DATA_LOSS: it has another digest, and starts again from 0.
  // INVALID_ARGUMENT: it is malformed, naming the tensor. Of an update also as CheckUpload and
  // store::Journal::Append. RESOURCE_EXHAUSTED, UNAVAILABLE from the disk.
  virtual void Seal(std::function<void(absl::Status)> done) = 0;
};

// Thread-safe.
class UploadIntake {
 public:
  // Borrowed collaborators and limits.
  struct Dependencies {
    JobDirectory* jobs = nullptr;
    models::ModelStore* models = nullptr;
    updates::UpdateSpool* spool = nullptr;
    FileSystem* files = nullptr;
    const Clock* clock = nullptr;
    uint64_t blob_bytes_max = 0;
    uint64_t free_bytes_min = 0;  // limits.freeBytesMin; an update must leave more, see OpenUpdate.
  };

  explicit UploadIntake(const Dependencies& dependencies);

  // For the start, before the first upload: counts what cut uploads of models left, and removes
  // what nobody has gone on with for limits::kModelPartAgeMax, or is more than
  // limits::kModelPartsMax. Later the same is done when a model is uploaded or the disk is full: at
  // most once a minute, or when there are limits::kModelPartsMax.
  absl::Status CountParts();

  // Refusals are those of transfer_service.proto; an update that can never be accepted (no
  // examples, wrong size) is also noted in its round. UNAVAILABLE while the same file is uploaded
  // already. An update must leave free_bytes_min on the disk and, beside it, what its round's
  // aggregation will write.
  absl::StatusOr<std::unique_ptr<Upload>> OpenUpdate(const WorkerId& worker,
                                                     const v1::UploadHeader& header);
  absl::StatusOr<std::unique_ptr<Upload>> OpenBlob(const v1::UploadHeader& header);

 private:
  absl::Status CheckSize(uint64_t total_bytes) const;
  // At most once a minute, or when there are limits::kModelPartsMax; of those the older half goes.
  void RemoveOldParts() ABSL_LOCKS_EXCLUDED(mu_);
  // Those too old, and the oldest of more than `kept_max`.
  absl::StatusOr<models::ModelStore::Parts> RemovePartsBeyond(size_t kept_max);

  const Dependencies deps_;

  absl::Mutex mu_;
  absl::Time parts_looked_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_UPLOAD_INTAKE_H_
