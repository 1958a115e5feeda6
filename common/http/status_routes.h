// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_STATUS_ROUTES_H_
#define COMMON_HTTP_STATUS_ROUTES_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/http/http_message.h"

namespace entente::http {

// What machines ask a program for. Called from several threads at once.
struct StatusSources {
  std::function<std::string()> metrics;     // In Prometheus's text format.
  std::function<absl::Status()> readiness;  // Whether it does its work; if not, why.
};

// /healthz: 200 as long as the program answers, for everybody. /readyz: 200, or 503 and the
// sentence why, for everybody. These two do not look at tokens and certificates. /metrics: for
// operators.
std::vector<Route> StatusRoutes(StatusSources sources);

}  // namespace entente::http

#endif  // COMMON_HTTP_STATUS_ROUTES_H_
