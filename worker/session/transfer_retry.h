// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TRANSFER_RETRY_H_
#define WORKER_SESSION_TRANSFER_RETRY_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/random_source.h"
#include "worker/trainer_host/cancel_token.h"

namespace entente::worker {

// Whether the coordinator's answer may be another one next time: the link broke, it is busy, or has
// no room for now. What it refused it will refuse again.
bool MayHelpToTryAgain(const absl::Status& status);

// Calls `try_once` until it is OK, fails with a status that trying again will not change, or
// `cancel` is cancelled, and waits between tries, longer each time; `made_progress` (set by
// try_once) makes the next wait short again. `what` names the transfer in the log.
absl::Status RetryTransfer(absl::string_view what, RandomSource* random, const CancelToken& cancel,
                           absl::FunctionRef<absl::Status(bool* made_progress)> try_once);

}  // namespace entente::worker

#endif  // WORKER_SESSION_TRANSFER_RETRY_H_
