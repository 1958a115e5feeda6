// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_TRANSFER_PERMISSION_H_
#define COORDINATOR_ENGINE_TRANSFER_PERMISSION_H_

// What a worker may upload to a job and download for it, as the job stands now. Asked before any
// byte travels; the round machine has the last word when an update is whole.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/engine/job_engine.h"
#include "entente/v1/task.pb.h"

namespace entente::engine {

struct UploadClaim {
  WorkerId worker;
  v1::TaskKey key;
  Digest base_model;
  Digest update;
};

enum class UploadVerdict {
  kWelcome,
  kAlreadyAccepted,  // This very update is in; only the receipt was lost.
};

// FAILED_PRECONDITION, NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT as rounds::CheckUpdateWelcome;
// FAILED_PRECONDITION also if the job has ended, and for another round, attempt or base model,
// naming the current one. Of a job that downloads bf16 an update may start from the model or from
// its rounded copy: not every worker reads that.
absl::StatusOr<UploadVerdict> CheckUpload(const JobEngine& job, const UploadClaim& claim);

// PERMISSION_DENIED unless the worker's tasks need the file: the base model or the new model of the
// round in flight, also rounded, or the recipe's program, for who is of the cohort.
absl::Status CheckDownload(const JobEngine& job, const WorkerId& worker, const Digest& file);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_TRANSFER_PERMISSION_H_
