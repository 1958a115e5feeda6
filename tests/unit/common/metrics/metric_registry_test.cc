// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metric_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace entente::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricRegistryTest, RendersHelpTypeLabelsAndValue) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  registry.Add(kUpdatesRefused, {"fr-lab", "value"});
  registry.Add(kUpdatesRefused, {"fr-lab", "value"}, 2);
  const std::string text = registry.Render();
  EXPECT_THAT(text, HasSubstr("# HELP entente_updates_refused_total Updates that were not fit"));
  EXPECT_THAT(text, HasSubstr("# TYPE entente_updates_refused_total counter"));
  EXPECT_THAT(text,
              HasSubstr("entente_updates_refused_total{member=\"fr-lab\",reason=\"value\"} 3"));
}

TEST(MetricRegistryTest, HostileLabelValuesAreEscaped) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  registry.Set(kBuildInfo, {"x", "1\"} 5\nevil 1"}, 1);
  EXPECT_THAT(registry.Render(), HasSubstr("version=\"1\\\"} 5\\nevil 1\"} 1\n"));
}

TEST(MetricRegistryTest, ClearedGaugesAreGoneUntilSetAgain) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  registry.Set(kWorkers, {"fr-lab", "attached"}, 2);
  registry.Set(kWorkers, {"kr-lab", "attached"}, 1);
  registry.Clear(kWorkers);
  registry.Set(kWorkers, {"kr-lab", "attached"}, 3);
  EXPECT_THAT(registry.Render(), HasSubstr("{member=\"kr-lab\",state=\"attached\"} 3"));
  EXPECT_THAT(registry.Render(), Not(HasSubstr("fr-lab")));
}

TEST(MetricRegistryTest, RaisedCountersNeverFall) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  registry.RaiseTo(kTransferBytes, {"fr-lab", "up"}, 10);
  registry.RaiseTo(kTransferBytes, {"fr-lab", "up"}, 7);
  EXPECT_THAT(registry.Render(),
              HasSubstr("entente_transfer_bytes_total{direction=\"up\",member=\"fr-lab\"} 10"));
}

TEST(MetricRegistryTest, HistogramsCountInBuckets) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  registry.Observe(kPhaseDuration, {"collecting"}, 3);
  const std::string text = registry.Render();
  EXPECT_THAT(text, HasSubstr("phase=\"collecting\",le=\"1\"} 0"));
  EXPECT_THAT(text, HasSubstr("phase=\"collecting\",le=\"5\"} 1"));
  EXPECT_THAT(text, HasSubstr("_sum{phase=\"collecting\"} 3"));
}

TEST(MetricRegistryDeathTest, WrongLabelsAreABug) {
  MetricRegistry registry(CoordinatorMetricSpecs());
  EXPECT_DEATH(registry.Set(kWorkers, {"fr-lab"}, 1), "bug");
}

}  // namespace
}  // namespace entente::metrics
