// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_METRICS_METRIC_CATALOG_H_
#define COMMON_METRICS_METRIC_CATALOG_H_

// Every metric there is: its name, what it means, its unit and its labels. Names follow
// Prometheus's conventions: base units (seconds, bytes), _total for counters.
//
// The number of series is bounded: labels are members (the configuration's), and words of fixed
// lists. No job, round or worker is ever a label.

#include <array>
#include <vector>

#include "absl/types/span.h"

namespace entente::metrics {

enum class MetricType { kCounter, kGauge, kHistogram };

struct MetricSpec {
  const char* name;
  MetricType type;
  const char* help;                        // One sentence, with the unit and the labels' words.
  std::array<const char*, 2> labels = {};  // Null: none.
  absl::Span<const double> buckets = {};   // Upper bounds, of a histogram.
};

// Seconds, from a round on loopback to one that takes days.
inline constexpr double kLongSeconds[] = {0.1, 0.5,  1,     5,     15,    60,    300,
                                          900, 3600, 14400, 43200, 86400, 259200};
// Seconds, of what the program itself does.
inline constexpr double kShortSeconds[] = {0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900};

// Of both programs.
inline constexpr MetricSpec kBuildInfo = {"entente_build_info",
                                          MetricType::kGauge,
                                          "Always 1; which program of which version this is.",
                                          {"program", "version"}};
inline constexpr MetricSpec kReady = {
    "entente_ready", MetricType::kGauge,
    "1 if /readyz says yes: a coordinator takes calls and its journal takes events, a worker is "
    "attached; else 0."};
inline constexpr MetricSpec kCertificateExpiry = {
    "entente_certificate_expiry_timestamp_seconds",
    MetricType::kGauge,
    "When a certificate expires, Unix time; the first to expire of those that count. holder: own, "
    "http (what browsers are shown), authority, or worker (those that are attached). member is "
    "empty for the alliance's.",
    {"holder", "member"}};
inline constexpr MetricSpec kDiskFree = {
    "entente_disk_free_bytes", MetricType::kGauge,
    "What may still be written to the disk of the data or work directory."};
inline constexpr MetricSpec kDiskReserved = {
    "entente_disk_reserved_bytes", MetricType::kGauge,
    "Free space that is left alone: work that would go below it is refused."};
inline constexpr MetricSpec kProcessCpu = {
    "process_cpu_seconds_total", MetricType::kCounter,
    "Time the process has spent on the CPU, user and system, in seconds."};
inline constexpr MetricSpec kProcessMemory = {"process_resident_memory_bytes", MetricType::kGauge,
                                              "Memory the process has in use."};
inline constexpr MetricSpec kProcessOpenFiles = {"process_open_fds", MetricType::kGauge,
                                                 "Descriptors the process has open."};
inline constexpr MetricSpec kProcessOpenFilesMax = {"process_max_fds", MetricType::kGauge,
                                                    "Descriptors the process may have open."};
inline constexpr MetricSpec kProcessStart = {"process_start_time_seconds", MetricType::kGauge,
                                             "When the process started, Unix time."};
inline constexpr MetricSpec kProcessThreads = {"process_threads", MetricType::kGauge,
                                               "Threads of the process."};

// The coordinator's.
inline constexpr MetricSpec kJobs = {
    "entente_jobs",
    MetricType::kGauge,
    "Jobs by state: running, paused, completed, failed, cancelled.",
    {"state"}};
inline constexpr MetricSpec kJobsEnded = {
    "entente_jobs_ended_total",
    MetricType::kCounter,
    "Jobs that ended since the start, by state: completed, failed, cancelled.",
    {"state"}};
inline constexpr MetricSpec kRoundsInFlight = {
    "entente_rounds_in_flight",
    MetricType::kGauge,
    "Rounds of running jobs by phase: planned, collecting, grace, aggregating, evaluating.",
    {"phase"}};
inline constexpr MetricSpec kRoundSilence = {
    "entente_round_silence_seconds",
    MetricType::kGauge,
    "The longest time that nothing has happened to a round and no worker got on with its task, of "
    "those in that phase whose job is not paused.",
    {"phase"}};
inline constexpr MetricSpec kRoundsAtRisk = {
    "entente_rounds_quorum_at_risk", MetricType::kGauge,
    "Rounds whose accepted updates and workers at work, or available before it opens, are fewer "
    "than the quorum needs."};
inline constexpr MetricSpec kRounds = {
    "entente_rounds_total",
    MetricType::kCounter,
    "Attempts of rounds that ended since the start, by outcome: committed, aborted.",
    {"outcome"}};
inline constexpr MetricSpec kRoundDuration = {
    "entente_round_duration_seconds",
    MetricType::kHistogram,
    "From the opening of a round's attempt to its end, by outcome: committed, aborted.",
    {"outcome"},
    kLongSeconds};
inline constexpr MetricSpec kPhaseDuration = {
    "entente_round_phase_duration_seconds",
    MetricType::kHistogram,
    "How long rounds were in a phase: planned, collecting, grace, aggregating, evaluating.",
    {"phase"},
    kLongSeconds};
inline constexpr MetricSpec kAggregationDuration = {
    "entente_aggregation_duration_seconds",
    MetricType::kHistogram,
    "How long combining the updates of a round took.",
    {},
    kShortSeconds};
inline constexpr MetricSpec kUpdatesAccepted = {
    "entente_updates_accepted_total",
    MetricType::kCounter,
    "Updates that were accepted since the start, by member.",
    {"member"}};
inline constexpr MetricSpec kUpdatesRefused = {
    "entente_updates_refused_total",
    MetricType::kCounter,
    "Updates that were not fit, since the start, by member and reason: value, shape, size, "
    "examples, format, other.",
    {"member", "reason"}};
inline constexpr MetricSpec kTasksLost = {
    "entente_tasks_lost_total",
    MetricType::kCounter,
    "Training tasks that came to no update since the start, by member and outcome: declined, "
    "failed, missing (it may come back), skipped (away); not those whose attempt was aborted "
    "before "
    "its time.",
    {"member", "outcome"}};
inline constexpr MetricSpec kUploadDuration = {
    "entente_upload_duration_seconds",
    MetricType::kHistogram,
    "From the first byte of an upload to its answer, by outcome: stored, refused, cut.",
    {"outcome"},
    kLongSeconds};
inline constexpr MetricSpec kTransferBytes = {
    "entente_transfer_bytes_total",
    MetricType::kCounter,
    "Bytes of models and updates since the start, as they travelled, by member and direction: up "
    "(from workers), down (to workers).",
    {"member", "direction"}};
inline constexpr MetricSpec kWorkers = {
    "entente_workers",
    MetricType::kGauge,
    "Workers seen since the start, by member and state: attached, away, detached.",
    {"member", "state"}};
inline constexpr MetricSpec kSpool = {"entente_spool_bytes", MetricType::kGauge,
                                      "What updates take of the disk now."};
inline constexpr MetricSpec kSpoolPromised = {
    "entente_spool_promised_bytes", MetricType::kGauge,
    "What open uploads of updates will still take of the disk."};
inline constexpr MetricSpec kSpoolQuota = {
    "entente_spool_quota_bytes", MetricType::kGauge,
    "What updates may take of the disk; 0: whatever is free."};
inline constexpr MetricSpec kExecutorLag = {
    "entente_executor_lag_seconds", MetricType::kGauge,
    "How long a piece of work waited for a thread of the pool that runs jobs, when last asked."};

// A worker's.
inline constexpr MetricSpec kAttached = {"entente_worker_attached", MetricType::kGauge,
                                         "1 if the worker is attached to its coordinator, else 0."};
inline constexpr MetricSpec kWorkerActivity = {
    "entente_worker_activity",
    MetricType::kGauge,
    "1 for what the worker does now, 0 for the rest: idle, downloading, preparing, training, "
    "evaluating, uploading, other.",
    {"activity"}};
inline constexpr MetricSpec kWorkerTasks = {
    "entente_worker_tasks_total",
    MetricType::kCounter,
    "Tasks since the start, by kind (train, evaluate) and outcome: done, refused, failed, "
    "cancelled.",
    {"kind", "outcome"}};
inline constexpr MetricSpec kWorkerActivityDuration = {
    "entente_worker_activity_duration_seconds",
    MetricType::kHistogram,
    "How long the parts of tasks took, by activity as in entente_worker_activity.",
    {"activity"},
    kLongSeconds};
inline constexpr MetricSpec kWorkerTransferBytes = {
    "entente_worker_transfer_bytes_total",
    MetricType::kCounter,
    "Bytes of models and updates that were transferred since the start, as files, by direction: "
    "up, down.",
    {"direction"}};

// What each program may have, in the order of this file.
std::vector<const MetricSpec*> CoordinatorMetricSpecs();
std::vector<const MetricSpec*> WorkerMetricSpecs();

}  // namespace entente::metrics

#endif  // COMMON_METRICS_METRIC_CATALOG_H_
