// SPDX-License-Identifier: Apache-2.0
#include "worker/metrics/worker_metrics.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/metrics/process_metrics.h"

namespace entente::worker {
namespace {

constexpr const char* kActivities[] = {"idle",       "downloading", "preparing", "training",
                                       "evaluating", "uploading",   "other"};

// A word of the catalogue's list, so that the number of series is bounded.
std::string KnownActivity(absl::string_view activity) {
  const bool is_known = std::any_of(std::begin(kActivities), std::end(kActivities),
                                    [&](const char* known) { return activity == known; });
  return is_known ? std::string(activity) : "other";
}

absl::string_view EndName(TaskResult::End end) {
  switch (end) {
    case TaskResult::End::kDone:
      return "done";
    case TaskResult::End::kRefused:
      return "refused";
    case TaskResult::End::kFailed:
      return "failed";
    case TaskResult::End::kCancelled:
      return "cancelled";
  }
  return "failed";
}

}  // namespace

WorkerMetrics::WorkerMetrics(Options options, const Clock* clock, FileSystem* files)
    : options_(std::move(options)),
      clock_(*clock),
      files_(*files),
      registry_(metrics::WorkerMetricSpecs()),
      activity_since_(clock->Now()) {
  metrics::SetBuildInfo("entente-worker", options_.version, &registry_);
  // Counters are there from the start, so that their first step is seen as one.
  for (const char* kind : {"train", "evaluate"}) {
    for (const char* outcome : {"done", "refused", "failed", "cancelled"}) {
      registry_.Add(metrics::kWorkerTasks, {kind, outcome}, 0);
    }
  }
  for (const char* direction : {"up", "down"}) CountBytes(direction, 0);
}

void WorkerMetrics::SetAttachedSource(std::function<bool()> is_attached) {
  absl::MutexLock lock(&mu_);
  is_attached_ = std::move(is_attached);
}

void WorkerMetrics::NoteActivity(absl::string_view activity) {
  const std::string known = KnownActivity(activity);
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  if (known == activity_) return;
  if (activity_ != "idle") {
    registry_.Observe(metrics::kWorkerActivityDuration, {activity_},
                      absl::ToDoubleSeconds(now - activity_since_));
  }
  activity_ = known;
  activity_since_ = now;
}

void WorkerMetrics::CountTask(v1::TaskKey::Kind kind, TaskResult::End end) {
  registry_.Add(metrics::kWorkerTasks,
                {kind == v1::TaskKey::KIND_EVALUATE ? "evaluate" : "train", EndName(end)});
}

void WorkerMetrics::CountBytes(absl::string_view direction, uint64_t bytes) {
  registry_.Add(metrics::kWorkerTransferBytes, {direction}, static_cast<double>(bytes));
}

bool WorkerMetrics::IsAttached() const {
  std::function<bool()> is_attached;
  {
    absl::MutexLock lock(&mu_);
    is_attached = is_attached_;
  }
  return is_attached != nullptr && is_attached();
}

absl::Status WorkerMetrics::readiness() const {
  if (IsAttached()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("not attached to the coordinator at ",
                                             options_.coordinator, "; the log says why"));
}

std::string WorkerMetrics::Render() {
  const bool is_attached = IsAttached();
  registry_.Set(metrics::kReady, {}, is_attached ? 1 : 0);
  registry_.Set(metrics::kAttached, {}, is_attached ? 1 : 0);
  {
    absl::MutexLock lock(&mu_);
    for (const char* activity : kActivities) {
      registry_.Set(metrics::kWorkerActivity, {activity}, activity_ == activity ? 1 : 0);
    }
  }
  if (const auto free_bytes = files_.FreeBytes(options_.work_directory); free_bytes.ok()) {
    registry_.Set(metrics::kDiskFree, {}, static_cast<double>(*free_bytes));
  }
  registry_.Set(metrics::kDiskReserved, {}, static_cast<double>(limits::kWorkerFreeBytesMin));
  metrics::SetCertificateExpiry(options_.certificate, "own", "", &registry_);
  if (!options_.http_certificate.empty()) {
    metrics::SetCertificateExpiry(options_.http_certificate, "http", "", &registry_);
  }
  metrics::SetCertificateExpiry(options_.authority, "authority", "", &registry_);
  metrics::SetProcessMetrics(&registry_);
  return registry_.Render();
}

TaskResult ObservedRunner::Run(const v1::Task& task, absl::Time deadline, const Report& report,
                               const CancelToken& cancel) {
  metrics_.NoteActivity("preparing");
  TaskResult result = runner_.Run(
      task, deadline,
      [&](absl::string_view activity, const StepProgress& step) {
        metrics_.NoteActivity(activity);
        report(activity, step);
      },
      cancel);
  metrics_.NoteActivity("idle");
  metrics_.CountTask(task.key().kind(), result.end);
  return result;
}

absl::StatusOr<ModelCache::Lease> ObservedTransfers::Download(const Digest& digest,
                                                              const std::string& job_id,
                                                              const TraceContext& trace,
                                                              const ByteProgress& progress,
                                                              const CancelToken& cancel) {
  uint64_t bytes = 0;  // None if the cache has it.
  absl::StatusOr<ModelCache::Lease> lease = transfers_.Download(
      digest, job_id, trace,
      [&](uint64_t done, uint64_t total) {
        bytes = total;
        progress(done, total);
      },
      cancel);
  if (lease.ok()) metrics_.CountBytes("down", bytes);
  return lease;
}

absl::Status ObservedTransfers::Upload(const v1::UploadHeader& header, const std::string& path,
                                       bool compresses, const TraceContext& trace,
                                       const ByteProgress& progress, const CancelToken& cancel) {
  const absl::Status status = transfers_.Upload(header, path, compresses, trace, progress, cancel);
  if (status.ok()) metrics_.CountBytes("up", header.total_bytes());
  return status;
}

}  // namespace entente::worker
