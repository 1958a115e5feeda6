// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_ROUNDS_ROUND_EFFECT_H_
#define COORDINATOR_ROUNDS_ROUND_EFFECT_H_

// What the engine must do after a transition was journalled. Effects may be carried out again after
// a crash, so each is harmless to repeat.

#include <cstdint>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "common/base/strong_id.h"

namespace entente::rounds {

struct SendTrainingTask {
  WorkerId worker;
};
struct SendEvaluationTask {
  WorkerId worker;
};
// Its work is not wanted any more. Names the task in full: by the time it is carried out the next
// round may be in flight.
struct CancelTask {
  WorkerId worker;
  uint32_t round_index = 0;
  uint32_t attempt = 1;
  bool evaluates = false;  // Which of the two tasks.
  std::string reason;
};
// Feed DeadlineChecked at that time.
struct ArmTimer {
  absl::Time at;
};
struct StartAggregation {};

using RoundEffect =
    std::variant<SendTrainingTask, SendEvaluationTask, CancelTask, ArmTimer, StartAggregation>;

}  // namespace entente::rounds

#endif  // COORDINATOR_ROUNDS_ROUND_EFFECT_H_
