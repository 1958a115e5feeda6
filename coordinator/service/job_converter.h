// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_JOB_CONVERTER_H_
#define COORDINATOR_SERVICE_JOB_CONVERTER_H_

// Jobs and rounds, from the coordinator's state to the wire.

#include "absl/time/time.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/members/worker_registry.h"
#include "entente/v1/job.pb.h"

namespace entente::service {

enum class Detail {
  kBrief,  // Without the recipe, and rounds without participants.
  kFull,
};

v1::Job ToProto(const engine::JobView& view, const members::WorkerRegistry& workers, absl::Time now,
                Detail detail);

// A round of the job, be it the one in flight or an older one.
v1::Round ToProto(const engine::JobView& view, const rounds::RoundState& round,
                  const members::WorkerRegistry& workers, absl::Time now, Detail detail);

v1::Metrics ToProto(const rounds::Metrics& metrics);

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_JOB_CONVERTER_H_
