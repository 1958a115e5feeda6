// SPDX-License-Identifier: Apache-2.0
#include "common/http/status_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::http {
namespace {

const Route& RouteTo(const std::vector<Route>& routes, const std::string& path) {
  for (const Route& route : routes) {
    if (route.path == path) return route;
  }
  ADD_FAILURE() << path;
  return routes.front();
}

TEST(StatusRoutesTest, ReadinessIsAnsweredWithItsReason) {
  absl::Status readiness = absl::UnavailableError("the coordinator is starting");
  const auto routes = StatusRoutes(
      {.metrics = [] { return std::string("m 1\n"); }, .readiness = [&] { return readiness; }});
  const Route& ready = RouteTo(routes, "/readyz");
  EXPECT_EQ(ready.answer({}).status, 503);
  EXPECT_EQ(ready.answer({}).body, "the coordinator is starting\n");
  readiness = absl::OkStatus();
  EXPECT_EQ(ready.answer({}).status, 200);
  EXPECT_EQ(RouteTo(routes, "/healthz").answer({}).status, 200);
}

// docs/operations.md, "What who sees".
TEST(StatusRoutesTest, HealthIsForEverybodyAndMetricsForOperators) {
  const auto routes = StatusRoutes({.metrics = [] { return std::string("m 1\n"); },
                                    .readiness = [] { return absl::OkStatus(); }});
  EXPECT_EQ(RouteTo(routes, "/healthz").visible_to, Viewer::Kind::kPublic);
  EXPECT_EQ(RouteTo(routes, "/readyz").visible_to, Viewer::Kind::kPublic);
  const Route& metrics = RouteTo(routes, "/metrics");
  EXPECT_EQ(metrics.visible_to, Viewer::Kind::kOperator);
  EXPECT_EQ(metrics.answer({}).body, "m 1\n");
  EXPECT_TRUE(RouteTo(routes, "/healthz").ignores_viewer);
  EXPECT_TRUE(RouteTo(routes, "/readyz").ignores_viewer);
  EXPECT_FALSE(metrics.ignores_viewer);
  EXPECT_THAT(metrics.answer({}).content_type, testing::HasSubstr("version=0.0.4"));
}

}  // namespace
}  // namespace entente::http
