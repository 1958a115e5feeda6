// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metric_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"

namespace entente::metrics {
namespace {

std::vector<const MetricSpec*> AllSpecs() {
  std::vector<const MetricSpec*> specs = CoordinatorMetricSpecs();
  for (const MetricSpec* spec : WorkerMetricSpecs()) specs.push_back(spec);
  return specs;
}

// https://prometheus.io/docs/practices/naming
TEST(MetricCatalogTest, NamesFollowPrometheusConventions) {
  for (const MetricSpec* spec : AllSpecs()) {
    const std::string name = spec->name;
    EXPECT_TRUE(absl::StartsWith(name, "entente_") || absl::StartsWith(name, "process_")) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
    EXPECT_EQ(absl::EndsWith(name, "_total"), spec->type == MetricType::kCounter) << name;
    for (const char* unit : {"milli", "kilo", "days", "percent", "minutes"}) {
      EXPECT_FALSE(absl::StrContains(name, unit)) << name;
    }
  }
}

TEST(MetricCatalogTest, EveryMetricIsExplainedAndThereOnceAProgram) {
  for (const auto& specs : {CoordinatorMetricSpecs(), WorkerMetricSpecs()}) {
    std::set<std::string> names;
    for (const MetricSpec* spec : specs) {
      EXPECT_TRUE(names.insert(spec->name).second) << spec->name;
      EXPECT_GT(std::string(spec->help).size(), 20) << spec->name;
    }
  }
}

TEST(MetricCatalogTest, HistogramsHaveRisingBucketsAndNobodyElseAny) {
  for (const MetricSpec* spec : AllSpecs()) {
    EXPECT_EQ(spec->buckets.empty(), spec->type != MetricType::kHistogram) << spec->name;
    EXPECT_TRUE(std::is_sorted(spec->buckets.begin(), spec->buckets.end())) << spec->name;
  }
}

// What grows with use must never be a label.
TEST(MetricCatalogTest, LabelsAreBounded) {
  const std::set<std::string> bounded = {"program",  "version", "holder",  "member",
                                         "state",    "phase",   "outcome", "direction",
                                         "activity", "kind",    "reason"};
  for (const MetricSpec* spec : AllSpecs()) {
    for (const char* label : spec->labels) {
      EXPECT_TRUE(label == nullptr || bounded.contains(label)) << spec->name << " " << label;
    }
  }
}

}  // namespace
}  // namespace entente::metrics
