// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ENGINE_STORED_FILES_H_
#define COORDINATOR_ENGINE_STORED_FILES_H_

// Whether the files that a job goes on from are there, after a restart: the journal may have come
// back from a copy without them, or somebody has tidied up.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/file_system.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/models/model_store.h"
#include "coordinator/updates/update_spool.h"

namespace entente::engine {

// DATA_LOSS, naming the job, the file and what to do, if the job runs and its program, its newest
// model or its newest optimizer state is missing: nothing can make them again.
absl::Status CheckModelFiles(const JobView& job, const models::ModelStore& models);

// Paths of accepted updates of the round in flight that are missing. Workers can make those again:
// without them the attempt is aborted when it is aggregated, and the next one asks.
std::vector<std::string> MissingUpdates(const JobView& job, const updates::UpdateSpool& spool,
                                        FileSystem& files);

}  // namespace entente::engine

#endif  // COORDINATOR_ENGINE_STORED_FILES_H_
