// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_WORKER_CONFIG_H_
#define COMMON_CONFIG_WORKER_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "entente/config/v1/worker.pb.h"

namespace entente {

// The worker's configuration: complete, with every default of worker.proto filled in and every path
// absolute, and checked. The trainer's command keeps a bare program name ("entente-trainer") as it
// is. What the policy file says is worker/policy's to check. Nothing is created or changed.
//
// INVALID_ARGUMENT, as file:line:column: what is wrong: anything outside what worker.proto says, a
// certificate, key, authority or policy that is not there, a data folder that is not there or
// empty. NOT_FOUND and UNAVAILABLE: the file at `path` cannot be read.
absl::StatusOr<config::v1::WorkerConfig> LoadWorkerConfig(FileSystem& files,
                                                          const std::string& path);

}  // namespace entente

#endif  // COMMON_CONFIG_WORKER_CONFIG_H_
