// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_METRICS_COORDINATOR_METRICS_H_
#define COORDINATOR_METRICS_COORDINATOR_METRICS_H_

// The coordinator's metrics: what is counted as it happens (JobMetrics, uploads), and what is read
// off its parts whenever somebody asks.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/file_system.h"
#include "common/metrics/metric_registry.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/metrics/executor_lag.h"
#include "coordinator/metrics/job_metrics.h"
#include "coordinator/store/observed_journal.h"
#include "coordinator/updates/space_ledger.h"

namespace entente::metrics {

// Thread-safe.
class CoordinatorMetrics {
 public:
  struct Options {
    std::string version;
    std::string data_directory;
    uint64_t free_bytes_min = 0;
    uint64_t spool_bytes_max = 0;
    std::string certificate;                         // PEM file.
    std::string http_certificate;                    // PEM file; empty: no HTTPS.
    std::string alliance_authority;                  // PEM file.
    std::map<std::string, std::string> authorities;  // PEM files by member.
  };
  // Everything is borrowed and outlives the calls.
  struct Parts {
    const Clock* clock = nullptr;  // A steady one: all that it measures is how long.
    FileSystem* files = nullptr;
    Executor* executor = nullptr;
    members::WorkerRegistry* workers = nullptr;
    const updates::SpaceLedger* space = nullptr;
    const store::ObservedJournal* journal = nullptr;
  };

  CoordinatorMetrics(Options options, const Parts& parts);

  // As engine::JobObserver.
  void OnJobChange(const engine::JobChange& change) { job_metrics_.OnJobChange(change); }

  // As service::ServiceContext::on_upload_ended.
  void OnUploadEnded(absl::Duration took, const absl::Status& status);

  // The jobs are restored; what happens to them counts from here on. `jobs` is borrowed. Once.
  void Begin(const engine::JobDirectory* jobs);

  // Whether the coordinator takes calls; if not, why. UNAVAILABLE until it is set.
  void SetReadiness(absl::Status readiness) ABSL_LOCKS_EXCLUDED(mu_);
  // What was set; if that is OK, whether the journal takes events, and if not, why.
  absl::Status readiness() const ABSL_LOCKS_EXCLUDED(mu_);

  // All there is, for /metrics.
  std::string Render();

 private:
  void CollectJobs();
  void CollectWorkers();
  void CollectStorage();
  void CollectCertificates();

  const Options options_;
  const Parts parts_;
  MetricRegistry registry_;
  JobMetrics job_metrics_;
  ExecutorLag lag_;
  std::atomic<const engine::JobDirectory*> jobs_{nullptr};

  mutable absl::Mutex mu_;
  absl::Status readiness_ ABSL_GUARDED_BY(mu_);
  absl::Mutex render_mu_;  // One at a time: what was cleared must be set again first.
};

// Whether fewer updates may still come to the round than its quorum needs: `available` workers
// count before it opens.
bool IsQuorumAtRisk(const rounds::RoundState& round, size_t available);

}  // namespace entente::metrics

#endif  // COORDINATOR_METRICS_COORDINATOR_METRICS_H_
