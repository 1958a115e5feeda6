// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_EVENT_H_
#define COORDINATOR_ROUNDS_ROUND_EVENT_H_

// Everything that can happen to a round. These are what the journal keeps.

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/strong_id.h"
#include "coordinator/rounds/round_state.h"

namespace entente::rounds {

// Enough workers are attached; these are asked.
struct Opened {
  std::vector<WorkerId> cohort;
};
struct TaskAccepted {
  WorkerId worker;
};
struct TaskDeclined {
  WorkerId worker;
  std::string reason;
};
// Spooled, validated and on disk.
struct UpdateAccepted {
  WorkerId worker;
  UpdateRecord update;
};
struct UpdateRefused {
  WorkerId worker;
  std::string reason;
  AnnouncedUpdate update = {};
};
// Its lease ran out, or it said that it stops.
struct WorkerMissing {
  WorkerId worker;
  std::string reason;
};
// It said that its task failed, and does not try again.
struct WorkerFailed {
  WorkerId worker;
  std::string reason;
};
// It said that it is away: it takes no part in this attempt any more.
struct WorkerSkipped {
  WorkerId worker;
  std::string reason;
};
// It was missing, and attached again.
struct WorkerReturned {
  WorkerId worker;
};
// The clock may have passed closes_at.
struct DeadlineChecked {
  uint32_t updates_without_room = 0;  // Trained, but the coordinator has no room for them.
};
struct Aggregated {
  Digest model;
  Digest optimizer_state;
  std::map<WorkerId, double> weights;
};
// Its accepted update is missing in the spool, or is not what was accepted: it is asked again.
struct UpdateLost {
  WorkerId worker;
  std::string reason;
};
// Enough workers would be there if nobody were away; these may be back at that time, which is not
// before closes_at.
struct AbsenceAwaited {
  absl::Time until;
  std::string reason;  // Who is waited for.
};
struct AggregationFailed {
  std::string reason;
};
struct Evaluated {
  WorkerId worker;
  Metrics metrics;
};
struct EvaluationFailed {
  WorkerId worker;
  std::string reason;
};
struct Cancelled {
  std::string reason;
};

using RoundEvent =
    std::variant<Opened, TaskAccepted, TaskDeclined, UpdateAccepted, UpdateRefused, WorkerMissing,
                 WorkerFailed, WorkerReturned, DeadlineChecked, Aggregated, AggregationFailed,
                 Evaluated, EvaluationFailed, Cancelled, WorkerSkipped, UpdateLost, AbsenceAwaited>;

// "opened", "update accepted", ...
absl::string_view EventName(const RoundEvent& event);
// All of them.
absl::Span<const absl::string_view> EventNames();

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_EVENT_H_
