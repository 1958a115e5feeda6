// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_METRICS_JOB_METRICS_H_
#define COORDINATOR_METRICS_JOB_METRICS_H_

// Counts what happens to jobs and rounds, by watching how their states change. No decision depends
// on it.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/strong_id.h"
#include "common/metrics/metric_registry.h"
#include "coordinator/engine/job_change.h"
#include "coordinator/engine/job_engine.h"

namespace entente::metrics {

// The word for why an update was refused, of the catalogue's list, from the sentence that says it.
absl::string_view RefusalReasonOf(absl::string_view sentence);

// Thread-safe.
class JobMetrics {
 public:
  // Both are borrowed. The clock is a steady one.
  JobMetrics(const Clock* clock, MetricRegistry* registry);

  // A job that is there already: what has happened to it is not counted again. Before its first
  // change.
  void Begin(const JobId& job, const jobs::JobState& state) ABSL_LOCKS_EXCLUDED(mu_);

  // As engine::JobObserver.
  void OnJobChange(const engine::JobChange& change) ABSL_LOCKS_EXCLUDED(mu_);

  // When something last happened to the job's round, or a worker got on with its task: `progress`
  // is how far they are now. InfinitePast if nothing is known of the job.
  absl::Time LastChangeOf(const JobId& job,
                          const std::map<WorkerId, engine::WorkerProgress>& progress)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What a running job was like when it last changed.
  struct Seen {
    rounds::RoundPhase phase = rounds::RoundPhase::kPlanned;
    absl::Time phase_since;
    absl::Time changed_at;
    std::map<WorkerId, rounds::ParticipantState> participants = {};
    std::map<WorkerId, std::pair<std::string, uint64_t>> progress = {};  // Activity and step.
  };

  void CountParticipants(const rounds::RoundState& round, Seen* seen);
  void NotePhase(rounds::RoundPhase phase, absl::Time now, Seen* seen);
  void CountEndOf(const rounds::RoundState& round);

  const Clock& clock_;
  MetricRegistry& registry_;

  absl::Mutex mu_;
  std::map<JobId, Seen> running_ ABSL_GUARDED_BY(mu_);
};

}  // namespace entente::metrics

#endif  // COORDINATOR_METRICS_JOB_METRICS_H_
