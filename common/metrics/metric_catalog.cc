// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/metric_catalog.h"

namespace entente::metrics {
namespace {

std::vector<const MetricSpec*> SharedMetricSpecs() {
  return {&kBuildInfo,           &kReady,        &kCertificateExpiry, &kDiskFree,
          &kDiskReserved,        &kProcessCpu,   &kProcessMemory,     &kProcessOpenFiles,
          &kProcessOpenFilesMax, &kProcessStart, &kProcessThreads};
}

}  // namespace

std::vector<const MetricSpec*> CoordinatorMetricSpecs() {
  std::vector<const MetricSpec*> specs = SharedMetricSpecs();
  specs.insert(specs.end(),
               {&kJobs, &kJobsEnded, &kRoundsInFlight, &kRoundSilence, &kRoundsAtRisk, &kRounds,
                &kRoundDuration, &kPhaseDuration, &kAggregationDuration, &kUpdatesAccepted,
                &kUpdatesRefused, &kTasksLost, &kUploadDuration, &kTransferBytes, &kWorkers,
                &kSpool, &kSpoolPromised, &kSpoolQuota, &kExecutorLag});
  return specs;
}

std::vector<const MetricSpec*> WorkerMetricSpecs() {
  std::vector<const MetricSpec*> specs = SharedMetricSpecs();
  specs.insert(specs.end(), {&kAttached, &kWorkerActivity, &kWorkerTasks, &kWorkerActivityDuration,
                             &kWorkerTransferBytes});
  return specs;
}

}  // namespace entente::metrics
