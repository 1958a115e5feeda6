// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_JOBS_JOB_STATE_H_
#define COORDINATOR_JOBS_JOB_STATE_H_

// What is known of one job: a value, folded from its events.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "common/crypto/sha256.h"
#include "coordinator/rounds/round_state.h"

namespace entente::jobs {

enum class JobStatus { kRunning, kCompleted, kFailed, kCancelled };

// "running", "completed", ...
absl::string_view JobStatusName(JobStatus status);

// What the job machine needs of the recipe.
struct JobPlan {
  uint32_t round_count = 1;
  uint32_t attempts_max = 3;
  uint32_t evaluates_every = 1;  // Rounds; 0 never. The last round is always evaluated unless 0.
  rounds::RoundPolicy round_policy;

  friend bool operator==(const JobPlan&, const JobPlan&) = default;
};

struct JobState {
  JobPlan plan;
  JobStatus status = JobStatus::kRunning;
  std::string reason;
  absl::Time submitted_at = absl::InfinitePast();
  absl::Time ended_at = absl::InfinitePast();

  bool paused = false;       // Opens no round; one that is open already goes on.
  std::string pause_reason;  // Who and why, while paused.
  // Of the round in flight: its earlier attempts that a pause broke off, or workers that went away.
  // They do not count against attempts_max.
  uint32_t attempts_broken_off = 0;

  uint32_t rounds_committed = 0;
  Digest initial_model;
  Digest model;            // The newest committed one.
  Digest optimizer_state;  // After the newest committed round.
  // The attempt in flight, or the last one once the job has ended.
  rounds::RoundState round;

  bool WasSubmitted() const { return submitted_at != absl::InfinitePast(); }
  bool HasEnded() const { return status != JobStatus::kRunning; }

  friend bool operator==(const JobState&, const JobState&) = default;
};

}  // namespace entente::jobs

#endif  // COORDINATOR_JOBS_JOB_STATE_H_
