// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_COORDINATOR_NODE_H_
#define SIM_COORDINATOR_NODE_H_

// One run of the coordinator on its machine: its own parts, put together as coordinator/app does,
// with the simulated network, disk, clock and executors under them.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/drain_gate.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/engine/upload_intake.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/service/service_context.h"
#include "coordinator/store/sqlite_journal.h"
#include "sim/calls.h"
#include "sim/disk.h"
#include "sim/machine.h"
#include "sim/network.h"
#include "sim/promises.h"
#include "sim/trace.h"

namespace entente::sim {

class CoordinatorNode {
 public:
  // Borrowed; all must outlive it.
  struct Dependencies {
    Scheduler* scheduler = nullptr;
    Network* network = nullptr;
    Disk* disk = nullptr;
    MachineClock* clock = nullptr;
    Promises* promises = nullptr;
    Trace* trace = nullptr;
    std::vector<WorkerId> workers;  // By machine, from 1.
  };

  explicit CoordinatorNode(const Dependencies& dependencies);

  // As a crash: nothing is finished; but for the journal after Stop.
  ~CoordinatorNode();

  // Opens the data directory, restores the jobs and takes calls. An error is what the program would
  // end with.
  absl::Status Start();

  // The process ends, and its journal is closed when this is destroyed, as after SIGTERM. It dies
  // at the `operation`-th file operation of that, counted from 1, if there are as many.
  void Stop(uint64_t operation);

  Process& process() { return process_; }
  const models::ModelStore& models() const { return *models_; }
  FileSystem& files() { return files_; }

  // What a submitter does: uploads the model and submits the job, each if it is not there yet.
  absl::Status Submit(const v1::Recipe& recipe, const std::string& model_bytes);

 private:
  class WatchedJournal;

  bool EnterFileOperation();
  absl::Status OpenData();
  void TakeCall(const std::string& method, int machine, std::unique_ptr<Stream> stream);

  const Dependencies deps_;
  const SteadyMachineClock steady_clock_;
  Process process_;
  SteadyTimers pauses_;
  uint64_t closing_operations_ = 0;  // Those that the end of a process which was stopped may have.
  bool is_closing_ = false;
  DiskFileSystem files_;
  std::unique_ptr<store::SqliteJournal> real_journal_;
  std::unique_ptr<WatchedJournal> journal_;
  std::unique_ptr<models::ModelStore> models_;
  std::unique_ptr<updates::UpdateSpool> spool_;
  members::WorkerRegistry registry_;
  DrainGate gate_;
  std::unique_ptr<engine::JobDirectory> jobs_;
  std::unique_ptr<engine::UploadIntake> uploads_;
  service::ServiceContext service_;
  uint64_t next_call_ = 0;
  std::map<uint64_t, std::shared_ptr<Call>> calls_;  // Shared with timers and the registry.
};

}  // namespace entente::sim

#endif  // SIM_COORDINATOR_NODE_H_
