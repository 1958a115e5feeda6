// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_WORKER_CHECKS_H_
#define CLI_DOCTOR_WORKER_CHECKS_H_

// What a worker needs besides its way to the coordinator: data, and a trainer that starts.

#include <string>

#include "cli/context.h"
#include "cli/doctor/examination.h"
#include "common/base/file_system.h"
#include "entente/config/v1/worker.pb.h"

namespace entente::cli {

// Whether the files of the data set's format are in its folder, can be read and are not empty. One
// line: failed without training data, warned about without held-out data.
void CheckDataset(FileSystem& files, const config::v1::Dataset& dataset, Examination* examination);

// Where entente-worker is looked for.
struct WorkerSearch {
  std::string program_path;  // Of `entente`: beside it first,
  std::string path;          // then in these folders, as PATH has them.
};

// Has `entente-worker --check-trainer` start the trainer in its sandbox and hear its greeting, as
// the worker would. Warned about if there is no entente-worker here.
void CheckTrainer(const WorkerSearch& search, const std::string& config_path,
                  Examination* examination);

}  // namespace entente::cli

#endif  // CLI_DOCTOR_WORKER_CHECKS_H_
