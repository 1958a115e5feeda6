// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_SESSION_TRANSFER_RETRY_H_
#define WORKER_SESSION_TRANSFER_RETRY_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/random_source.h"
#include "worker/trainer_host/cancel_token.h"

namespace entente::worker {

// Whether the coordinator's answer may be another one next time: the link broke, it is busy, has no
// room for now, or does not know who we are (a certificate is replaced, a clock put right). What it
// refused it will refuse again.
bool MayHelpToTryAgain(const absl::Status& status);

// The same of a finished update, which may have taken hours. PERMISSION_DENIED, too, is about who
// we are there, and not about the update; of a download it is about the file.
bool MayHelpToSendAgain(const absl::Status& status);

// Whether the coordinator has no use for the update for this task, now or later: it has looked at
// it and refused it, and written that down; or it has another one; or the attempt or the round is
// over. Any other failure to send it says nothing about the update.
bool IsRefusalOfUpdate(const absl::Status& status);

// Calls `try_once` until it is OK, fails with a status for which `may_help` is false, or `cancel`
// is cancelled, and waits between tries, longer each time; `made_progress` (set by try_once) makes
// the next wait short again. `what` names the transfer in the log.
absl::Status RetryTransfer(
    absl::string_view what, RandomSource* random, const CancelToken& cancel,
    absl::FunctionRef<absl::Status(bool* made_progress)> try_once,
    absl::FunctionRef<bool(const absl::Status&)> may_help = &MayHelpToTryAgain);

}  // namespace entente::worker

#endif  // WORKER_SESSION_TRANSFER_RETRY_H_
