// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metric_registry.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/check.h"

namespace entente::metrics {
namespace {

prometheus::Labels LabelsOf(const MetricSpec& spec, LabelValues values) {
  prometheus::Labels labels;
  size_t i = 0;
  for (const absl::string_view value : values) {
    ENTENTE_CHECK(i < spec.labels.size() && spec.labels[i] != nullptr);
    labels.emplace(spec.labels[i++], std::string(value));
  }
  ENTENTE_CHECK(i == spec.labels.size() || spec.labels[i] == nullptr);
  return labels;
}

}  // namespace

struct MetricRegistry::Families {
  prometheus::Registry registry;  // Thread-safe, as all of prometheus-cpp's parts are.

  absl::Mutex mu;  // So that raising a counter and clearing a gauge are one step each.
  std::map<const MetricSpec*, prometheus::Family<prometheus::Counter>*> counters
      ABSL_GUARDED_BY(mu);
  std::map<const MetricSpec*, prometheus::Family<prometheus::Gauge>*> gauges ABSL_GUARDED_BY(mu);
  std::map<const MetricSpec*, prometheus::Family<prometheus::Histogram>*> histograms
      ABSL_GUARDED_BY(mu);
  std::map<const MetricSpec*, std::map<prometheus::Labels, prometheus::Gauge*>> series
      ABSL_GUARDED_BY(mu);
};

MetricRegistry::MetricRegistry(const std::vector<const MetricSpec*>& specs)
    : families_(std::make_unique<Families>()) {
  absl::MutexLock lock(&families_->mu);
  for (const MetricSpec* spec : specs) {
    const auto build = [this, spec](auto builder) {
      return &builder.Name(spec->name).Help(spec->help).Register(families_->registry);
    };
    switch (spec->type) {
      case MetricType::kCounter:
        families_->counters[spec] = build(prometheus::BuildCounter());
        break;
      case MetricType::kGauge:
        families_->gauges[spec] = build(prometheus::BuildGauge());
        break;
      case MetricType::kHistogram:
        families_->histograms[spec] = build(prometheus::BuildHistogram());
        break;
    }
  }
}

MetricRegistry::~MetricRegistry() = default;

void MetricRegistry::Add(const MetricSpec& spec, LabelValues labels, double amount) {
  absl::MutexLock lock(&families_->mu);
  families_->counters.at(&spec)->Add(LabelsOf(spec, labels)).Increment(amount);
}

void MetricRegistry::RaiseTo(const MetricSpec& spec, LabelValues labels, double total) {
  absl::MutexLock lock(&families_->mu);
  prometheus::Counter& counter = families_->counters.at(&spec)->Add(LabelsOf(spec, labels));
  if (total > counter.Value()) counter.Increment(total - counter.Value());
}

void MetricRegistry::Set(const MetricSpec& spec, LabelValues labels, double value) {
  const prometheus::Labels pairs = LabelsOf(spec, labels);
  absl::MutexLock lock(&families_->mu);
  prometheus::Gauge& gauge = families_->gauges.at(&spec)->Add(pairs);
  gauge.Set(value);
  families_->series[&spec][pairs] = &gauge;
}

void MetricRegistry::Clear(const MetricSpec& spec) {
  absl::MutexLock lock(&families_->mu);
  for (const auto& [labels, gauge] : families_->series[&spec]) {
    families_->gauges.at(&spec)->Remove(gauge);
  }
  families_->series[&spec].clear();
}

void MetricRegistry::Observe(const MetricSpec& spec, LabelValues labels, double value) {
  const std::vector<double> buckets(spec.buckets.begin(), spec.buckets.end());
  absl::MutexLock lock(&families_->mu);
  families_->histograms.at(&spec)->Add(LabelsOf(spec, labels), buckets).Observe(value);
}

std::string MetricRegistry::Render() const {
  std::vector<prometheus::MetricFamily> collected;
  {
    absl::MutexLock lock(&families_->mu);
    collected = families_->registry.Collect();
  }
  return prometheus::TextSerializer().Serialize(collected);
}

}  // namespace entente::metrics
