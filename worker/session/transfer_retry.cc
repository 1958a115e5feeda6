// SPDX-License-Identifier: Apache-2.0
#include "worker/session/transfer_retry.h"

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/rpc/grpc_words.h"

namespace entente::worker {
namespace {

absl::string_view SentenceOf(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return "the coordinator has no room for a transfer; trying again later";
  }
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    return "the coordinator does not admit this worker; trying again, in case a certificate or a "
           "clock is put right";
  }
  return "a transfer broke off; trying again";
}

}  // namespace

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
    case absl::StatusCode::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

bool MayHelpToSendAgain(const absl::Status& status) {
  return MayHelpToTryAgain(status) || absl::IsPermissionDenied(status);
}

bool IsRefusalOfUpdate(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
         absl::IsAlreadyExists(status);
}

absl::Status RetryTransfer(absl::string_view what, RandomSource* random, const CancelToken& cancel,
                           absl::FunctionRef<absl::Status(bool* made_progress)> try_once,
                           absl::FunctionRef<bool(const absl::Status&)> may_help) {
  Backoff backoff(limits::kBackoffFirst, limits::kBackoffMax, random);
  while (true) {
    if (cancel.cancelled()) return cancel.status();
    bool made_progress = false;
    const absl::Status status = try_once(&made_progress);
    if (status.ok()) return status;
    if (cancel.cancelled()) return cancel.status();
    if (!may_help(status)) return status;
    if (made_progress) backoff.Reset();
    const absl::Duration wait = backoff.Next();
    log::Warning(SentenceOf(status), {{"transfer", what},
                                      {"reason", InPlainWords(status.message())},
                                      {"wait", absl::FormatDuration(wait)}});
    if (cancel.WaitFor(wait)) return cancel.status();
  }
}

}  // namespace entente::worker
