// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_METRICS_METRIC_REGISTRY_H_
#define COMMON_METRICS_METRIC_REGISTRY_H_

// The values of one program's metrics, by prometheus-cpp, and their text for Prometheus.
//
//   MetricRegistry registry(CoordinatorMetricSpecs());
//   registry.Add(kUpdatesAccepted, {"fr-lab"});
//   registry.Render();  // # HELP entente_updates_accepted_total ...

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/metrics/metric_catalog.h"

namespace entente::metrics {

// The values of a metric's labels, in the catalogue's order.
using LabelValues = std::initializer_list<absl::string_view>;

// Thread-safe. Every call's metric must be one of `specs` with as many labels as it has, and of the
// type the call is for; anything else is a bug.
class MetricRegistry {
 public:
  explicit MetricRegistry(const std::vector<const MetricSpec*>& specs);
  ~MetricRegistry();

  // Of a counter. `amount` is not negative.
  void Add(const MetricSpec& spec, LabelValues labels = {}, double amount = 1);
  // Of a counter that somebody else counts: raises it to `total`, never lowers it.
  void RaiseTo(const MetricSpec& spec, LabelValues labels, double total);
  // Of a gauge.
  void Set(const MetricSpec& spec, LabelValues labels, double value);
  // Forgets every series of a gauge, so that only what is set anew is shown.
  void Clear(const MetricSpec& spec);
  // Of a histogram.
  void Observe(const MetricSpec& spec, LabelValues labels, double value);

  // In Prometheus's text format, version 0.0.4.
  std::string Render() const;
  static constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace entente::metrics

#endif  // COMMON_METRICS_METRIC_REGISTRY_H_
