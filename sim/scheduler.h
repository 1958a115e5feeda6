// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_SCHEDULER_H_
#define SIM_SCHEDULER_H_

// Simulated time: a queue of events, run one after the other in the order of their times. Events of
// the same time run in an order that the seed draws, so that whatever races on real threads races
// here too, and does it again in the next run of the seed.

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>

#include "absl/time/time.h"
#include "sim/chance.h"

namespace entente::sim {

// Everything in a simulated run happens on one thread at a time; see BlockingThread for those who
// block.
class Scheduler {
 public:
  // Names an event: its time, its place among those of the same time, its number.
  using EventKey = std::tuple<absl::Time, uint64_t, uint64_t>;

  explicit Scheduler(uint64_t seed);

  absl::Time now() const { return now_; }
  Chance& chance() { return chance_; }
  uint64_t events_run() const { return events_run_; }

  // Runs `event` at `when`; at once, but never on the caller's stack, if that is past.
  EventKey At(absl::Time when, std::function<void()> event);
  EventKey After(absl::Duration pause, std::function<void()> event);

  // Does nothing if it has run.
  void Cancel(const EventKey& key) { events_.erase(key); }

  // Moves time to the next event and runs it. False if there is none.
  bool RunNext();

 private:
  Chance chance_;
  absl::Time now_;
  std::map<EventKey, std::function<void()>> events_;
  uint64_t next_number_ = 0;
  uint64_t events_run_ = 0;
};

}  // namespace entente::sim

#endif  // SIM_SCHEDULER_H_
