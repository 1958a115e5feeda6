// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_SIMULATED_TRAINER_H_
#define SIM_SIMULATED_TRAINER_H_

#include <functional>
#include <string>

#include "common/base/file_system.h"
#include "sim/blocking_thread.h"
#include "worker/trainer_host/trainer.h"

namespace entente::sim {

struct TrainerFaults {
  double breaks = 0;  // Each call: the trainer ends.
  double fails = 0;   // Each call: it says that it cannot.
  double slow = 0;    // Each training: it takes up to an hour.
};

// Trains a ToyModel, in simulated time; see worker::Trainer for the status codes.
class SimulatedTrainer final : public worker::Trainer {
 public:
  // All borrowed. Updates are left in `folder`.
  SimulatedTrainer(Scheduler* scheduler, BlockingThread* thread, FileSystem* files,
                   std::string folder, const TrainerFaults* faults, uint64_t* failures);

  absl::Status Prepare(const worker::PrepareRequest& request,
                       const worker::CancelToken& cancel) override;
  absl::StatusOr<worker::TrainResult> Train(const worker::TrainRequest& request,
                                            const ProgressCallback& progress,
                                            const worker::CancelToken& cancel) override;
  absl::StatusOr<worker::EvaluateResult> Evaluate(const worker::EvaluateRequest& request,
                                                  const ProgressCallback& progress,
                                                  const worker::CancelToken& cancel) override;
  void Stop() override {}

 private:
  // Lets time pass; an error if the token was cancelled meanwhile, or chance wants one.
  absl::Status Work(absl::Duration time, const worker::CancelToken& cancel);

  Scheduler& scheduler_;
  BlockingThread& thread_;
  FileSystem& files_;
  const std::string folder_;
  const TrainerFaults& faults_;
  uint64_t& failures_;
};

// How a worker's task waits in simulated time.
class ThreadWait final : public worker::CancellableWait {
 public:
  // Both borrowed.
  ThreadWait(const Scheduler* scheduler, BlockingThread* thread)
      : scheduler_(*scheduler), thread_(*thread) {}

  bool WaitFor(const worker::CancelToken& token, absl::Duration limit) const override;

 private:
  const Scheduler& scheduler_;
  BlockingThread& thread_;
};

}  // namespace entente::sim

#endif  // SIM_SIMULATED_TRAINER_H_
