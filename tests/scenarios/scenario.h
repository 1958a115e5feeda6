// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SCENARIOS_SCENARIO_H_
#define TESTS_SCENARIOS_SCENARIO_H_

// Runs a story about a job against the job machine. A line is a command and its words; "#" begins a
// comment; text in quotes is one word. The commands:
//
//   workers FR DE JP                     who there is
//   job     quorum=2 share=0.5 rounds=1 attempts=1 deadline=10m grace=30s evaluate=no
//           absences=counted             its journal is of before absences were excused
//   open    [FR DE]                      the round in flight is opened, by default for all workers
//   accept  FR                           the worker takes its task
//   decline FR "reason"                  or does not
//   upload  FR examples=100 [round=1] [attempt=1]   its update is accepted (round: 1-based)
//   refuse  FR "reason"                  its update is refused
//   silence FR                           its lease runs out
//   lose    FR "reason"                  its accepted update is found missing or damaged
//   fail    FR "reason"                  it says that its task failed
//   skip    FR "reason"                  it says that it is away
//   return  FR                           it is back
//   await   62h "reason"                 the planned round waits for workers that are away so long
//   wait    31s                          time passes; deadlines that have come are checked
//   aggregated | aggregation-failed "reason"
//   evaluated FR loss=0.5 accuracy=0.8   | evaluation-failed FR "reason"
//   cancel  "reason"
//   pause   "reason" [now]               now: breaks off a round that still collects
//   resume  "reason"
//   expect  phase=grace round=1 attempt=1 job=running reason="quorum of 2 met"
//   expect  paused=yes required=2 committed=1
//   expect  FR=missing                   a participant's state
//   expect  log contains "..."           some transition's reason so far
//   expect  effect contains "train FR"   an effect of the last line: train, evaluate, cancel,
//   aggregate,
//                                        open, forget
//   expect  refused FAILED_PRECONDITION [contains "..."]   what the last line came to; a line that
//   is
//                                        refused and not followed by this fails the story

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entente::scenarios {

// OK if the story holds; else the first line that does not, with its number and what was instead.
absl::Status RunScenario(absl::string_view text);

}  // namespace entente::scenarios

#endif  // TESTS_SCENARIOS_SCENARIO_H_
