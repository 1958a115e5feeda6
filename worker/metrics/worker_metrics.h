// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_METRICS_WORKER_METRICS_H_
#define WORKER_METRICS_WORKER_METRICS_H_

// A worker's metrics: what its tasks do, by standing between the loop and who does the work, and
// what is read off its parts whenever somebody asks.

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/metrics/metric_registry.h"
#include "worker/session/task_runner.h"
#include "worker/session/transfers.h"

namespace entente::worker {

// Thread-safe.
class WorkerMetrics {
 public:
  struct Options {
    std::string version;
    std::string coordinator;  // host:port, for sentences.
    std::string work_directory;
    std::string certificate;       // PEM file.
    std::string http_certificate;  // PEM file; empty: no HTTPS.
    std::string authority;         // PEM file.
  };

  // Both are borrowed.
  WorkerMetrics(Options options, const Clock* clock, FileSystem* files);

  // Whether the worker is attached now; asked on any thread. Once.
  void SetAttachedSource(std::function<bool()> is_attached) ABSL_LOCKS_EXCLUDED(mu_);

  // What a task does now, and what it did before has ended; "idle" between tasks.
  void NoteActivity(absl::string_view activity) ABSL_LOCKS_EXCLUDED(mu_);
  void CountTask(v1::TaskKey::Kind kind, TaskResult::End end);
  void CountBytes(absl::string_view direction, uint64_t bytes);

  // OK while attached; UNAVAILABLE with the sentence why not.
  absl::Status readiness() const ABSL_LOCKS_EXCLUDED(mu_);

  // All there is, for /metrics.
  std::string Render() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool IsAttached() const ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  const Clock& clock_;
  FileSystem& files_;
  metrics::MetricRegistry registry_;

  mutable absl::Mutex mu_;
  std::function<bool()> is_attached_ ABSL_GUARDED_BY(mu_);
  std::string activity_ ABSL_GUARDED_BY(mu_) = "idle";
  absl::Time activity_since_ ABSL_GUARDED_BY(mu_);
};

// Another runner, whose tasks are counted.
class ObservedRunner final : public TaskRunner {
 public:
  // Both are borrowed.
  ObservedRunner(TaskRunner* runner, WorkerMetrics* metrics)
      : runner_(*runner), metrics_(*metrics) {}

  TaskResult Run(const v1::Task& task, absl::Time deadline, const Report& report,
                 const CancelToken& cancel) override;
  void Forget(const v1::TaskKey& key) override { runner_.Forget(key); }
  void ForgetJob(const std::string& job_id) override { runner_.ForgetJob(job_id); }
  void Close() override { runner_.Close(); }

 private:
  TaskRunner& runner_;
  WorkerMetrics& metrics_;
};

// Other transfers, whose bytes are counted, as files. Downloads that the cache spares are not.
class ObservedTransfers final : public Transfers {
 public:
  // Both are borrowed.
  ObservedTransfers(Transfers* transfers, WorkerMetrics* metrics)
      : transfers_(*transfers), metrics_(*metrics) {}

  absl::StatusOr<ModelCache::Lease> Download(const Digest& digest, const std::string& job_id,
                                             const TraceContext& trace,
                                             const ByteProgress& progress,
                                             const CancelToken& cancel) override;
  absl::Status Upload(const v1::UploadHeader& header, const std::string& path, bool compresses,
                      const TraceContext& trace, const ByteProgress& progress,
                      const CancelToken& cancel) override;

 private:
  Transfers& transfers_;
  WorkerMetrics& metrics_;
};

}  // namespace entente::worker

#endif  // WORKER_METRICS_WORKER_METRICS_H_
