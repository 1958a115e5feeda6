// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/transition_log.h"

#include <variant>

namespace entente::engine {

using rounds::RoundPhase;
using rounds::RoundState;

std::vector<log::Field> LogFieldsOf(const JobDescription& job, uint32_t round_index) {
  return {{"job", job.id.value()},
          {"round", uint64_t{round_index} + 1},
          {"trace", job.trace.trace_id()}};
}

void LogSetback(absl::string_view what, const JobId& job, uint32_t round_index,
                const WorkerId& worker, const std::string& reason) {
  log::Warning(what, {{"job", job.value()},
                      {"round", round_index + 1},
                      {"worker", worker.value()},
                      {"reason", reason}});
}

void LogTransition(const JobId& job, const jobs::JobEvent& event,
                   const jobs::JobTransition& transition) {
  log::Debug("event", {{"job", job.value()}, {"reason", transition.reason}});
  if (const auto* paused = std::get_if<jobs::JobPaused>(&event)) {
    log::Info("job paused", {{"job", job.value()}, {"reason", paused->reason}});
  } else if (const auto* resumed = std::get_if<jobs::JobResumed>(&event)) {
    log::Info("job resumed", {{"job", job.value()}, {"reason", resumed->reason}});
  }
  if (transition.ended_round.has_value()) {
    const RoundState& round = *transition.ended_round;
    const bool is_committed = round.phase == RoundPhase::kCommitted;
    const bool is_wanted = transition.next.status == jobs::JobStatus::kCancelled ||
                           transition.next.paused;  // By a person.
    const auto say = is_committed || is_wanted ? log::Info : log::Warning;
    say(is_committed ? "round committed" : "round aborted", {{"job", job.value()},
                                                             {"round", round.round_index + 1},
                                                             {"attempt", round.attempt},
                                                             {"reason", round.reason}});
  }
  if (transition.next.HasEnded()) {
    const auto say = transition.next.status == jobs::JobStatus::kFailed ? log::Error : log::Info;
    say("job ended", {{"job", job.value()},
                      {"state", jobs::JobStatusName(transition.next.status)},
                      {"reason", transition.next.reason}});
  }
}

}  // namespace entente::engine
