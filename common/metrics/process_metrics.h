// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_METRICS_PROCESS_METRICS_H_
#define COMMON_METRICS_PROCESS_METRICS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/metrics/metric_registry.h"

namespace entente::metrics {

// What the system says of this process now: kProcess*. What cannot be read is left out.
void SetProcessMetrics(MetricRegistry* registry);

// kBuildInfo: once, at the start.
void SetBuildInfo(absl::string_view program, absl::string_view version, MetricRegistry* registry);

// Unix time with its fraction, for kCertificateExpiry and its like.
double ToUnixSecondsAndFraction(absl::Time time);

// When the first certificate in the PEM file at `path` expires, for kCertificateExpiry with these
// labels. A file that cannot be read leaves what was set before.
void SetCertificateExpiry(const std::string& path, absl::string_view holder,
                          absl::string_view member, MetricRegistry* registry);

}  // namespace entente::metrics

#endif  // COMMON_METRICS_PROCESS_METRICS_H_
