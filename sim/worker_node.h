// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_WORKER_NODE_H_
#define SIM_WORKER_NODE_H_

// One run of a worker on its machine: its own parts, put together as worker/app does, with the
// simulated network, disk, clock, trainer and executors under them.

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "sim/blocking_thread.h"
#include "sim/disk.h"
#include "sim/machine.h"
#include "sim/promises.h"
#include "sim/simulated_trainer.h"
#include "sim/trace.h"
#include "sim/transfer_stub.h"
#include "sim/worker_link.h"
#include "worker/session/grpc_transfers.h"
#include "worker/session/residual_store.h"
#include "worker/session/resume_state.h"
#include "worker/session/task_admission.h"
#include "worker/session/task_flow.h"
#include "worker/session/task_loop.h"

namespace entente::sim {

class WorkerNode {
 public:
  // Borrowed; all must outlive it.
  struct Dependencies {
    Scheduler* scheduler = nullptr;
    Network* network = nullptr;
    Disk* disk = nullptr;
    MachineClock* clock = nullptr;
    Promises* promises = nullptr;
    Trace* trace = nullptr;
    const LocalPolicy* policy = nullptr;
    const worker::OfferedDatasets* datasets = nullptr;
    const TrainerFaults* trainer_faults = nullptr;
    uint64_t* trainer_failures = nullptr;
    int machine = 0;
    WorkerId id;
  };

  explicit WorkerNode(const Dependencies& dependencies);

  // As a crash: what runs is cut off.
  ~WorkerNode();

  // Opens the work directory and dials. An error is what the program would end with.
  absl::Status Start();

  Process& process() { return process_; }

 private:
  class WatchedTransfers;

  const Dependencies deps_;
  const SteadyMachineClock steady_clock_;
  Process process_;
  BlockingThread thread_;
  ThreadWait wait_;
  DiskFileSystem files_;       // What must survive the power.
  DiskFileSystem work_files_;  // What can be fetched or made again.
  std::unique_ptr<worker::ModelCache> cache_;
  std::unique_ptr<worker::ResumeState> resume_state_;
  std::unique_ptr<worker::ResidualStore> residuals_;
  TransferContext transfer_context_;
  worker::TokenBucket pace_;
  std::unique_ptr<worker::GrpcTransfers> real_transfers_;
  std::unique_ptr<CancellableTransfers> cancellable_transfers_;
  std::unique_ptr<WatchedTransfers> transfers_;
  std::unique_ptr<SimulatedTrainer> trainer_;
  worker::TaskAdmission admission_;
  std::unique_ptr<worker::TaskFlow> flow_;
  WorkerLink link_;
  std::unique_ptr<worker::TaskLoop> loop_;
};

}  // namespace entente::sim

#endif  // SIM_WORKER_NODE_H_
