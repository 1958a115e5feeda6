// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "common/base/clock.h"
#include "common/identity/certificate.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::metrics {
namespace {

double ValueOf(const MetricRegistry& registry, const std::string& name) {
  const std::string text = registry.Render();
  const size_t at = text.find("\n" + name + " ");
  double value = -1;
  if (at == std::string::npos) return value;
  const size_t from = at + name.size() + 2;
  EXPECT_TRUE(absl::SimpleAtod(text.substr(from, text.find('\n', from) - from), &value));
  return value;
}

TEST(ProcessMetricsTest, ThisProcessIsAsItIs) {
  MetricRegistry registry(WorkerMetricSpecs());
  SetProcessMetrics(&registry);
  const double now = ToUnixSecondsAndFraction(SystemClock().Now());
  EXPECT_GT(ValueOf(registry, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(ValueOf(registry, "process_threads"), 1);
  EXPECT_GE(ValueOf(registry, "process_open_fds"), 3);
  EXPECT_GE(ValueOf(registry, "process_max_fds"), ValueOf(registry, "process_open_fds"));
  EXPECT_GE(ValueOf(registry, "process_cpu_seconds_total"), 0);
  EXPECT_NEAR(ValueOf(registry, "process_start_time_seconds"), now, 3600);
}

TEST(ProcessMetricsTest, CertificateSaysWhenItExpires) {
  const TempFolder folder;
  MetricRegistry registry(WorkerMetricSpecs());
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  ASSERT_OK_AND_ASSIGN(
      const CertificateAndKey authority,
      CreateAuthority(
          {.trust_domain = "fr-lab.example", .display_name = "FR", .validity = absl::Hours(24)},
          now));
  const std::string path = folder.Write("a.crt", authority.certificate_pem);
  SetCertificateExpiry(path, "authority", "fr-lab", &registry);
  EXPECT_THAT(registry.Render(),
              ::testing::HasSubstr("entente_certificate_expiry_timestamp_seconds{holder="
                                   "\"authority\",member=\"fr-lab\"} 1700086400"));
  // While it is replaced the last one counts.
  folder.Write("a.crt", "half a certifica");
  SetCertificateExpiry(path, "authority", "fr-lab", &registry);
  EXPECT_THAT(registry.Render(), ::testing::HasSubstr("1700086400"));
}

}  // namespace
}  // namespace entente::metrics
