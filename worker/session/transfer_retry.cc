// SPDX-License-Identifier: Apache-2.0
#include "worker/session/transfer_retry.h"

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/retry.h"

namespace entente::worker {

bool MayHelpToTryAgain(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:  // By the other side; our own cancelling is asked for first.
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:  // The offset did not fit: the next try asks for it.
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

absl::Status RetryTransfer(absl::string_view what, RandomSource* random, const CancelToken& cancel,
                           absl::FunctionRef<absl::Status(bool* made_progress)> try_once) {
  Backoff backoff(limits::kBackoffFirst, limits::kBackoffMax, random);
  while (true) {
    if (cancel.cancelled()) return cancel.status();
    bool made_progress = false;
    const absl::Status status = try_once(&made_progress);
    if (status.ok()) return status;
    if (cancel.cancelled()) return cancel.status();
    if (!MayHelpToTryAgain(status)) return status;
    if (made_progress) backoff.Reset();
    const absl::Duration wait = backoff.Next();
    log::Warning(
        absl::IsResourceExhausted(status)
            ? "the coordinator has no room for a transfer; trying again later"
            : "a transfer broke off; trying again",
        {{"transfer", what}, {"reason", status.message()}, {"wait", absl::FormatDuration(wait)}});
    if (cancel.WaitFor(wait)) return cancel.status();
  }
}

}  // namespace entente::worker
