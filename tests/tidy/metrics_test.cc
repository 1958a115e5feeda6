// SPDX-License-Identifier: Apache-2.0
// Alert rules and the dashboard speak of metrics that there are.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace entente::tidy {
namespace {

std::string TextOf(const std::string& path_from_root) {
  std::ifstream file(std::string(ENTENTE_SOURCE_DIR) + "/" + path_from_root);
  EXPECT_TRUE(file) << path_from_root;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::set<std::string> AllMatches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

// Every name that the catalogue gives to a metric.
std::set<std::string> Catalogue() {
  return AllMatches(TextOf("common/metrics/metric_catalog.h"), "\"((?:entente|process)_[a-z_]+)\"");
}

// A histogram's series are named after it.
std::string MetricOf(const std::string& series, const std::set<std::string>& catalogue) {
  for (const char* suffix : {"_bucket", "_sum", "_count"}) {
    absl::string_view name = series;
    if (absl::ConsumeSuffix(&name, suffix) && catalogue.contains(std::string(name))) {
      return std::string(name);
    }
  }
  return series;
}

TEST(MetricsTest, RulesAndDashboardNameMetricsOfTheCatalogue) {
  const std::set<std::string> catalogue = Catalogue();
  ASSERT_GT(catalogue.size(), 25u);
  for (const char* path :
       {"deploy/prometheus/entente.rules.yaml", "deploy/prometheus/entente.rules.test.yaml",
        "deploy/grafana/entente.json", "docs/operations.md"}) {
    for (const std::string& series : AllMatches(TextOf(path), "\\b((?:entente|process)_[a-z_]+)")) {
      EXPECT_TRUE(catalogue.contains(MetricOf(series, catalogue))) << path << ": " << series;
    }
  }
}

TEST(MetricsTest, DashboardShowsEveryMetric) {
  const std::string dashboard = TextOf("deploy/grafana/entente.json");
  for (const std::string& name : Catalogue()) {
    EXPECT_TRUE(absl::StrContains(dashboard, name)) << name << " is in no panel";
  }
}

}  // namespace
}  // namespace entente::tidy
