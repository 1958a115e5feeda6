// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_HTTP_SETUP_H_
#define WORKER_APP_HTTP_SETUP_H_

// The worker's HTTP server, by its configuration.

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/http/http_server.h"
#include "common/identity/trust_store.h"
#include "entente/config/v1/worker.pb.h"
#include "worker/metrics/worker_metrics.h"

namespace entente::worker {

// The server and what it borrows.
struct WorkerHttp {
  std::unique_ptr<TrustStore> trust;         // Null: no certificates are taken.
  std::unique_ptr<http::HttpServer> server;  // Null: off.
};

// What StartWorkerHttp would refuse before it listens.
absl::Status CheckWorkerHttp(const config::v1::WorkerConfig& config, const Clock* clock,
                             FileSystem* files);

// Listens if the configuration says so, and says where in the log and in the port file. Everything
// is borrowed.
absl::StatusOr<WorkerHttp> StartWorkerHttp(const config::v1::WorkerConfig& config,
                                           const Clock* clock, FileSystem* files,
                                           WorkerMetrics* metrics);

}  // namespace entente::worker

#endif  // WORKER_APP_HTTP_SETUP_H_
