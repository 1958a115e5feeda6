// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_WORKER_SETUP_H_
#define WORKER_APP_WORKER_SETUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/file_system.h"
#include "entente/config/v1/worker.pb.h"
#include "worker/policy/local_policy.h"
#include "worker/session/task_admission.h"
#include "worker/trainer_host/trainer_host.h"

namespace entente::worker {

// Everything the worker needs to know before it starts, read and checked.
struct WorkerSetup {
  config::v1::WorkerConfig config;
  LocalPolicy policy;
  OfferedDatasets datasets;
  TrainerHostOptions trainer;
  std::string models_folder;  // Five folders in the work directory; not made yet.
  std::string updates_folder;
  std::string residuals_folder;
  std::string trainer_folder;
  std::string checkpoints_folder;
};

// Reads the configuration and the policy, checks the TLS files, looks for the trainer's program in
// `program_folders` and tries the sandbox. Changes nothing.
//
// Every error is one sentence for whoever wrote the file.
absl::StatusOr<WorkerSetup> LoadWorkerSetup(FileSystem& files, const std::string& config_path,
                                            const std::vector<std::string>& program_folders,
                                            absl::Time now);

}  // namespace entente::worker

#endif  // WORKER_APP_WORKER_SETUP_H_
