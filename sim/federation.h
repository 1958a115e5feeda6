// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_FEDERATION_H_
#define SIM_FEDERATION_H_

// One seed: a coordinator, 3 to 5 workers and one job, run in simulated time under the seed's
// faults until the job has ended, with the promises looked at after every step.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/coordinator_node.h"
#include "sim/fault_plan.h"
#include "sim/worker_node.h"

namespace entente::sim {

struct SimulationOptions {
  uint64_t seed = 1;
  uint32_t rounds = 0;  // 0: the seed chooses.
  bool keeps_trace = false;
};

struct SimulationResult {
  uint64_t rounds = 0;    // Committed.
  uint64_t attempts = 0;  // Of rounds, that ended: committed or aborted.
  uint64_t faults = 0;
  uint64_t events = 0;
  std::string violation;  // In one sentence; empty: none.
  std::string trace;      // Mermaid, if it was kept.
};

SimulationResult RunSimulation(const SimulationOptions& options);

}  // namespace entente::sim

#endif  // SIM_FEDERATION_H_
