// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_APP_HTTP_PART_H_
#define COORDINATOR_APP_HTTP_PART_H_

// The coordinator's HTTP server, as its configuration says.

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/http/http_server.h"
#include "common/identity/trust_store.h"
#include "coordinator/members/worker_registry.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente {

// Borrowed; all outlive the server.
struct HttpSources {
  const TrustStore* trust = nullptr;
  const members::WorkerRegistry* workers = nullptr;
  const Clock* clock = nullptr;
  FileSystem* files = nullptr;
};

// Null if it is off, or if its default port is taken, which is logged. Errors are those of
// HttpServer::Start and of writing the file with the port.
absl::StatusOr<std::unique_ptr<http::HttpServer>> StartHttp(
    const config::v1::CoordinatorConfig& config, const HttpSources& sources,
    std::vector<http::Route> routes);

// OK if StartHttp would find its certificate, key and token in order.
absl::Status CheckHttpFiles(const config::v1::CoordinatorConfig& config,
                            const HttpSources& sources);

}  // namespace entente

#endif  // COORDINATOR_APP_HTTP_PART_H_
