// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_SERVICE_CONTEXT_H_
#define COORDINATOR_SERVICE_SERVICE_CONTEXT_H_

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/limits.h"
#include "common/base/timers.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/engine/upload_intake.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/models/model_store.h"
#include "coordinator/service/caller.h"
#include "coordinator/service/open_watches.h"

namespace entente::service {

// What the services share. Everything is borrowed and outlives the gRPC server.
struct ServiceContext {
  const Clock* clock = nullptr;         // Wall time.
  const Clock* steady_clock = nullptr;  // What `pauses` go by.
  const CallerCheck* callers = nullptr;
  engine::JobDirectory* jobs = nullptr;
  engine::UploadIntake* uploads = nullptr;
  models::ModelStore* models = nullptr;
  members::WorkerRegistry* workers = nullptr;
  OpenWatches* watches = nullptr;
  Timers* pauses = nullptr;      // By steady time: heartbeats, silence, what is told after a while.
  Executor* executor = nullptr;  // For whatever may wait for a disk or a lock.
  // For transfers, which read, hash and check files of any size: with threads of its own, so that
  // the largest of them keep no job waiting. Gone before `executor` is.
  Executor* transfer_executor = nullptr;
  absl::Duration heartbeat_interval = absl::Seconds(5);
  absl::Duration transfer_idle_max = absl::Seconds(60);           // Then a silent transfer is cut.
  int transfers_max = 256;                                        // Uploads and downloads at once.
  int transfers_per_caller_max = limits::kTransfersPerCallerMax;  // Of those, one caller's.
  // Then an upload without a header is cut.
  absl::Duration upload_header_wait_max = limits::kUploadHeaderWaitMax;
  // Called when an upload has ended, however: how long it took since its first message. Null:
  // nobody wants to know.
  std::function<void(absl::Duration took, const absl::Status& status)> on_upload_ended = nullptr;
  std::string version;  // entente-coordinator's.
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_SERVICE_CONTEXT_H_
