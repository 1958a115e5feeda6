// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_FAULT_PLAN_H_
#define SIM_FAULT_PLAN_H_

// Which faults a seed has and how often. Each seed gets some kinds and not the others: a run with a
// little of everything never comes to where one kind alone, and much of it, would lead.

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entente/v1/recipe.pb.h"
#include "sim/chance.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/simulated_trainer.h"

namespace entente::sim {

// A fault that comes at a moment.
enum class FaultKind {
  kCrashCoordinator,             // Now.
  kCrashCoordinatorAtOperation,  // At one of its next file operations.
  kStopCoordinator,              // In good order, or killed meanwhile.
  kCrashWorker,
  kCrashWorkerAtOperation,
  kPartition,  // Of a worker, both ways or one.
  kDiskFails,  // Some of a machine's operations, for a while.
  kDiskFull,   // For a while.
  kClockJumps,
};

absl::string_view FaultName(FaultKind kind);

struct FaultPlan {
  std::vector<FaultKind> kinds;  // May be empty.
  absl::Duration pause_max;      // Between one and the next.
  absl::Duration time;           // After that there are no more faults of any kind.
  NetworkFaults network;
  TrainerFaults trainer;
};

FaultPlan DrawFaultPlan(Chance& chance);

// A disk that fails now and then.
DiskFaults DrawDiskFaults(Chance& chance);

// A small job: of `rounds` rounds, or 1 to 4 if that is 0.
v1::Recipe DrawRecipe(Chance& chance, uint32_t worker_count, uint32_t rounds);

}  // namespace entente::sim

#endif  // SIM_FAULT_PLAN_H_
