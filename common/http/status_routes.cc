// SPDX-License-Identifier: Apache-2.0
#include "common/http/status_routes.h"

#include <utility>

namespace entente::http {

std::vector<Route> StatusRoutes(StatusSources sources) {
  std::vector<Route> routes;
  // A probe whose token is out of date must not take the program for dead.
  routes.push_back({.path = "/healthz",
                    .visible_to = Viewer::Kind::kPublic,
                    .ignores_viewer = true,
                    .answer = [](const Request&) { return TextResponse(200, "alive"); }});
  routes.push_back({.path = "/readyz",
                    .visible_to = Viewer::Kind::kPublic,
                    .ignores_viewer = true,
                    .answer = [readiness = std::move(sources.readiness)](const Request&) {
                      const absl::Status status = readiness();
                      return status.ok() ? TextResponse(200, "ready")
                                         : TextResponse(503, status.message());
                    }});
  routes.push_back({.path = "/metrics",
                    .visible_to = Viewer::Kind::kOperator,
                    .answer = [metrics = std::move(sources.metrics)](const Request&) {
                      return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                      .body = metrics()};
                    }});
  return routes;
}

}  // namespace entente::http
