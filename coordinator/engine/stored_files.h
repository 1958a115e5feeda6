// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_STORED_FILES_H_
#define COORDINATOR_ENGINE_STORED_FILES_H_

// Whether the files that a job goes on from are there: the journal may have come back from a copy
// without them, somebody has tidied up, or the disk has lost what it had.

#include <atomic>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/base/file_system.h"
#include "common/base/strong_id.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/models/model_store.h"
#include "coordinator/rounds/round_state.h"
#include "coordinator/updates/update_spool.h"

namespace entente::engine {

// Both read every file whole and compare its digest: about a second for a gigabyte.

// DATA_LOSS, naming the job, the file and what to do, if the job runs and its program, its newest
// model or its newest optimizer state is missing or damaged: nothing can make them again.
absl::Status CheckModelFiles(const JobView& job, const models::ModelStore& models,
                             FileSystem& files);

// Workers whose accepted update of `round` is not in the spool as it was accepted, and how: one
// sentence with the path. Workers can make those again, or have kept them. None if nobody will read
// the round's updates any more. Ends before the next file, with what it has found, once
// `is_stopping` is true; null: it never is.
std::map<WorkerId, std::string> LostUpdates(const JobId& job, const rounds::RoundState& round,
                                            const updates::UpdateSpool& spool, FileSystem& files,
                                            const std::atomic<bool>* is_stopping = nullptr);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_STORED_FILES_H_
