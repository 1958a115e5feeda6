// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_APP_HTTP_SETUP_H_
#define COORDINATOR_APP_HTTP_SETUP_H_

// The coordinator's HTTP server, by its configuration.

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/http/http_server.h"
#include "common/identity/trust_store.h"
#include "coordinator/metrics/coordinator_metrics.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente {

// Borrowed; all must outlive the server.
struct HttpParts {
  const Clock* clock = nullptr;
  FileSystem* files = nullptr;
  const TrustStore* trust = nullptr;
};

// Where its metrics' files and numbers are.
metrics::CoordinatorMetrics::Options MetricsOptions(const config::v1::CoordinatorConfig& config,
                                                    const std::string& version);

// What StartHttp would refuse before it listens. OK if the configuration says off.
absl::Status CheckHttpSetup(const config::v1::CoordinatorConfig& config, const HttpParts& parts);

// Listens with these routes, says where in the log and in the port file. Null if the configuration
// says off, or its address is the default one and taken, which is warned about. Errors are
// HttpServer's.
absl::StatusOr<std::unique_ptr<http::HttpServer>> StartHttp(
    const config::v1::CoordinatorConfig& config, const HttpParts& parts,
    std::vector<http::Route> routes);

}  // namespace entente

#endif  // COORDINATOR_APP_HTTP_SETUP_H_
