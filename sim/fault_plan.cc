// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include "common/base/check.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"

namespace entente::sim {
namespace {

// Half of the time nothing; else up to `most`.
double Perhaps(Chance& chance, double most) {
  if (chance.Happens(0.5)) return 0;
  return most * static_cast<double>(1 + chance.Below(100)) / 100;
}

}  // namespace

absl::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrashCoordinator:
    case FaultKind::kCrashCoordinatorAtOperation:
      return "the coordinator crashes";
    case FaultKind::kStopCoordinator:
      return "the coordinator is stopped";
    case FaultKind::kCrashWorker:
    case FaultKind::kCrashWorkerAtOperation:
      return "a worker crashes";
    case FaultKind::kPartition:
      return "partition";
    case FaultKind::kDiskFails:
      return "the disk fails now and then";
    case FaultKind::kDiskFull:
      return "the disk is full";
    case FaultKind::kClockJumps:
      return "the clock jumps";
  }
  ENTENTE_CHECK(false);
}

FaultPlan DrawFaultPlan(Chance& chance) {
  FaultPlan plan;
  for (const FaultKind kind :
       {FaultKind::kCrashCoordinator, FaultKind::kCrashCoordinatorAtOperation,
        FaultKind::kStopCoordinator, FaultKind::kCrashWorker, FaultKind::kCrashWorkerAtOperation,
        FaultKind::kPartition, FaultKind::kDiskFails, FaultKind::kDiskFull,
        FaultKind::kClockJumps}) {
    if (chance.Happens(0.5)) plan.kinds.push_back(kind);
  }
  plan.pause_max = chance.Between(absl::Seconds(4), absl::Seconds(90));
  plan.time = chance.Between(absl::Minutes(1), absl::Minutes(20));
  plan.network.message_breaks = Perhaps(chance, 0.03);
  plan.network.message_delayed = Perhaps(chance, 0.05);
  plan.trainer.breaks = Perhaps(chance, 0.05);
  plan.trainer.fails = Perhaps(chance, 0.02);
  plan.trainer.slow = Perhaps(chance, 0.05);
  return plan;
}

DiskFaults DrawDiskFaults(Chance& chance) {
  DiskFaults faults;
  faults.write_fails = Perhaps(chance, 0.3);
  faults.sync_fails = Perhaps(chance, 0.3);
  faults.rename_fails = Perhaps(chance, 0.3);
  return faults;
}

v1::Recipe DrawRecipe(Chance& chance, uint32_t worker_count, uint32_t rounds) {
  v1::Recipe recipe;
  recipe.set_api_version("entente/v1");
  recipe.set_kind("Recipe");
  recipe.set_name("simulated");
  recipe.set_purpose("testing");
  recipe.set_dataset("numbers");
  recipe.set_task(v1::TASK_CLASSIFICATION);
  v1::BuiltinModel* const model = recipe.mutable_model()->mutable_builtin();
  model->set_architecture(v1::BuiltinModel::ARCHITECTURE_MLP);
  model->add_input_shape(5);
  model->set_outputs(6);
  recipe.mutable_training()->set_seed(chance.Next() >> 1);
  recipe.set_rounds(rounds > 0 ? rounds : static_cast<uint32_t>(1 + chance.Below(4)));
  v1::Pacing& pacing = *recipe.mutable_pacing();
  pacing.mutable_quorum()->set_count(static_cast<uint32_t>(1 + chance.Below(worker_count)));
  *pacing.mutable_deadline() = ToProto(absl::Minutes(3 + chance.Below(15)));
  *pacing.mutable_grace() = ToProto(absl::Seconds(5 + chance.Below(40)));
  *pacing.mutable_lease() = ToProto(absl::Seconds(15 + chance.Below(60)));
  pacing.set_attempts(100);  // As many as there may be: see federation.cc's CheckTheEnd.
  recipe.mutable_evaluation()->set_every_rounds(static_cast<uint32_t>(chance.Below(3)));
  FillRecipeDefaults(&recipe);
  return recipe;
}

}  // namespace entente::sim
