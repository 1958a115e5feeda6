// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_TRAINER_HOST_TRAINER_TRIAL_H_
#define WORKER_TRAINER_HOST_TRAINER_TRIAL_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/trainer_host/sandbox.h"
#include "worker/trainer_host/trainer_messages.h"

namespace entente::worker {

// Starts the trainer once, hears its greeting and ends it: `entente-worker --check-trainer`.
// Folders of the spec other than the data folder are replaced by private ones, which are removed,
// so that a worker that runs is not disturbed. The program must ignore SIGPIPE.
//
// UNAVAILABLE: it cannot be started, ended before it spoke, or was silent for `limit`.
// INVALID_ARGUMENT: it does not speak the trainer protocol, or another version. The message is for
// the site's own eyes: it may hold what the trainer said.
absl::StatusOr<TrainerHello> TryTrainer(SandboxSpec spec, absl::Duration limit);

}  // namespace entente::worker

#endif  // WORKER_TRAINER_HOST_TRAINER_TRIAL_H_
